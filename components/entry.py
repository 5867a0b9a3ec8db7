"""How the program starts and ends quickly; every measure is a public API and is off while debugging.

Measured on 1,078 registrations (docs/performance.md): garbage collection was 75 % of the CPU, the wait loop at the end
copies all pending outputs at each wake-up, and each SDK debug message is a blocking call to the engine.
"""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pulumi

COLLECT_AFTER = (100_000, 50, 1000)


def debugging() -> bool:
    """Say whether someone looks inside: then nothing is switched off."""
    return any(os.environ.get(name) for name in ("PULUMI_DEBUG_COMMANDS", "PULUMI_PYTHON_DEBUG", "TF_LOG", "PYTHONDEVMODE"))


@contextmanager
def imports() -> Iterator[None]:
    """Import without garbage collection: what is imported stays, so looking for it again is wasted."""
    if debugging():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        gc.enable()


def run(program: Callable[[], None]) -> None:
    """Run the program, then turn the event loop twice so that registrations start before the SDK watches outputs."""
    if not debugging():
        pulumi.log.debug = _silent
    program()
    if not debugging() and hasattr(pulumi, "run"):
        pulumi.run(_turn_twice)


async def _turn_twice() -> None:
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _silent(*_args: Any, **_kwargs: Any) -> None:
    """Stand in for `pulumi.log.debug`, which costs a blocking call to the engine four times per resource."""
