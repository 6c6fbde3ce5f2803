"""Run in a fresh interpreter as `python -P init_probe.py <folder of app.py> [module]`: prints, as JSON, the seconds
it took to import `module` (the function's composition root), the seconds until `app` was loaded and its handler built,
and the number of modules then loaded."""

import importlib
import json
import sys
import time

sys.path.insert(0, sys.argv[1])
began = time.perf_counter()
if len(sys.argv) > 2:
    importlib.import_module(sys.argv[2])
imported = time.perf_counter()
importlib.import_module("app")
ready = time.perf_counter()
sys.stdout.write(json.dumps({"import": imported - began, "ready": ready - began, "modules": len(sys.modules)}) + "\n")
