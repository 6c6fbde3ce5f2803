"""The router function: answers every frame."""

import os

from dayfly.aws.functions.router import RouterFunction

handler = RouterFunction(os.environ).handle
