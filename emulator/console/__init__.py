"""What the emulator prints: for people, as Lambda writes it, or as JSON."""

from emulator.console.formats import FORMATS, Format, LogFormat, make_format
from emulator.console.output import Output
from emulator.console.started import Stage, Started

__all__ = ["FORMATS", "Format", "LogFormat", "Output", "Stage", "Started", "make_format"]
