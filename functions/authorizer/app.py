"""The authorizer function: says whose token a new socket brings."""

import os

from dayfly.aws.functions.authorizer import Authorizer

handler = Authorizer(os.environ).handle
