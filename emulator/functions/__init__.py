"""AWS Lambda on one machine: environments as processes under AWS's own runtime client."""

from emulator.functions.log import LogLine, LogSink, print_line
from emulator.functions.options import LambdaOptions
from emulator.functions.service import LambdaService

__all__ = ["LambdaOptions", "LambdaService", "LogLine", "LogSink", "print_line"]
