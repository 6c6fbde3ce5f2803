"""The engine function: runs one attempt of one run."""

import os

from dayfly.aws.functions.engine import EngineFunction

handler = EngineFunction(os.environ).handle
