"""The authorizer function: says whose token a new socket brings."""

import os

from dayfly.aws.functions.authorizer import AuthorizerFunction

handler = AuthorizerFunction(os.environ).handle
