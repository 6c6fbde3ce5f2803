"""Runs inside an environment: starts AWS's runtime client as the managed Python runtime does.

Started with `python -P bootstrap.py <handler>`, so that neither this folder nor the working directory is on the path;
the function's own folder comes first instead, as /var/task does on Lambda.
"""

from __future__ import annotations

import os
import sys

from awslambdaric.__main__ import main

if __name__ == "__main__":
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    main([sys.argv[0], os.environ["_HANDLER"]])
