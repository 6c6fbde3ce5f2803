"""The connection function: stores whose socket this is, and forgets it."""

import os

from dayfly.aws.connection import ConnectionFunction

handler = ConnectionFunction(os.environ).handle
