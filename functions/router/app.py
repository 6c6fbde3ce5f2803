"""The router function: answers every frame."""

import os

from dayfly.aws.router import RouterFunction

handler = RouterFunction(os.environ).handle
