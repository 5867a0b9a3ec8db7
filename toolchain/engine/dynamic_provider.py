"""The SDK's server of dynamic resources, ended when the engine that started it is gone.

By itself it waits for ever: an engine that was killed would leave it behind. It runs in the program's own virtual
environment, so this file imports nothing but the SDK.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading
import time
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 1.0


def end_with(parent: int) -> None:
    """Leave as soon as the parent is another process: ours is gone, and nobody waits for an answer."""
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    sys.path[0] = str(Path.cwd())  # as `python -m` has it: a dynamic resource's class lives in the project
    runpy.run_module("pulumi.dynamic", run_name="__main__", alter_sys=True)
