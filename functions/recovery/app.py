"""The recovery function: ends the runs whose engine died."""

import os

from dayfly.aws.functions.recovery import RecoveryFunction

handler = RecoveryFunction(os.environ).handle
