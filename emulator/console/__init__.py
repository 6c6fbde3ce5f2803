"""What the emulator prints: for people, as Lambda writes it, or as JSON."""

from emulator.console.banner import Stage, Started
from emulator.console.output import FORMATS, Format, LogFormat, Output, make_format
from emulator.console.terminal import Colours, wants_colours

__all__ = ["FORMATS", "Colours", "Format", "LogFormat", "Output", "Stage", "Started", "make_format", "wants_colours"]
