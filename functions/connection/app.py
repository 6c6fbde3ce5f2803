"""The connection function: stores whose socket this is, and forgets it."""

import os

from dayfly.aws.functions.connection import ConnectionFunction

handler = ConnectionFunction(os.environ).handle
