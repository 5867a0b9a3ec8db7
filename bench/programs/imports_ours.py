"""The same modules as our program loads them, and our own rooms besides."""

import importlib
import os

from components import entry

with entry.imports():
    from components.platform import Platform  # noqa: F401
    from stacks.load import from_config  # noqa: F401

    for name in os.environ["BENCH_IMPORTS"].split():
        importlib.import_module(name)
