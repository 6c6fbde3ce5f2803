"""The recovery function: ends or resumes what a dead engine left."""

import os

from dayfly.aws.recovery import RecoveryFunction

handler = RecoveryFunction(os.environ).handle
