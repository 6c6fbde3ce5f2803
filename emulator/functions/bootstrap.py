"""Runs inside an environment: starts AWS's runtime client as the managed Python runtime does.

Started with `python -P bootstrap.py <handler>`, so that neither this folder nor the working directory is on the path;
the function's own folder comes first instead, as /var/task does on Lambda. With `-S` nothing of the emulator's own
packages is there either; the path then holds those of the function and of the runtime.
"""

import os
import site
import sys

from awslambdaric.__main__ import main

if __name__ == "__main__":
    if sys.flags.no_site:
        # `exit` and its like, which handlers call and Python makes only together with the site packages' path.
        site.setquit()
        site.setcopyright()
        site.sethelper()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    main([sys.argv[0], os.environ["_HANDLER"]])
