"""Say whether the engine could start with this environment: its settings, its model, and each agent's own.

    python -m scripts.check_agents

Exit status 1 and one line on stderr where it could not; a line for each agent that cannot be made.
"""

import importlib
import logging
import os
import sys

from dayfly.aws.functions.engine import installed_agents
from dayfly.aws.settings import EngineSettings
from dayfly.errors import ConfigurationError


def main() -> int:
    """Make all agents as the engine's cold start does, and no client of anything else."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s", stream=sys.stderr)
    needed = {"TABLE_NAME": "none", "AWS_LAMBDA_FUNCTION_NAME": "none"}
    try:
        settings = EngineSettings.read(needed | os.environ)
        installed_agents(importlib.import_module(settings.agents_package), settings)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    # Whatever threads an agent's import has left are not waited for.
    status = main()
    sys.stderr.flush()
    os._exit(status)
