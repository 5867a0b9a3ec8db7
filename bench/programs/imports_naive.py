"""Plain imports of what the all-cloud stack uses of the SDKs; BENCH_IMPORTS names the modules."""

import importlib
import os

for name in os.environ["BENCH_IMPORTS"].split():
    importlib.import_module(name)
