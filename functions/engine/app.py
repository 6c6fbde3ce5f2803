"""The engine function: runs one attempt of one run."""

import os

from dayfly.aws.engine import EngineFunction

handler = EngineFunction(os.environ).handle
