"""Run in a fresh interpreter as `python -P init_probe.py <folder of app.py> [module]`: prints, as JSON, the seconds
it took to import `module` (the function's composition root), the seconds until `app` was loaded and its handler built,
the processor's seconds for that, and the number of modules then loaded."""

import importlib
import json
import sys
import time

sys.path.insert(0, sys.argv[1])
began, began_cpu = time.perf_counter(), time.process_time()
if len(sys.argv) > 2:
    importlib.import_module(sys.argv[2])
imported = time.perf_counter()
importlib.import_module("app")
ready, ready_cpu = time.perf_counter(), time.process_time()
told = {"import": imported - began, "ready": ready - began, "cpu": ready_cpu - began_cpu, "modules": len(sys.modules)}
sys.stdout.write(json.dumps(told) + "\n")
