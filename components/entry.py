"""How the program starts and ends quickly: five measures, each feature-detected, all off while debugging.

What each one saves stands in docs/performance.md. `ECOSYSTEM_DEBUG=1` switches them off; so does a debugger, a tracer
(coverage) and Python's development mode. The engine does not tell a program of `pulumi --debug`: set the variable too.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import pulumi

from components import sdk_work

SWITCH: Final = "ECOSYSTEM_DEBUG"
"""Environment variable that turns every measure off when it is not empty."""

COLLECT_AFTER: Final = (100_000, 50, 1000)
"""Thresholds of the cyclic garbage collector for the rest of the run: what Pulumi makes is freed by counting."""


def debugging() -> bool:
    """Say whether someone looks inside: then nothing is switched off."""
    return bool(os.environ.get(SWITCH) or sys.gettrace() is not None or "debugpy" in sys.modules or sys.flags.dev_mode)


@contextmanager
def imports() -> Iterator[None]:
    """Import and declare without garbage collection: what was made stays, so looking for garbage in it is wasted.

    Afterwards all of it is frozen, that is, never looked at again, and the collector works rarely.
    """
    if debugging() or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if hasattr(gc, "freeze"):  # CPython only
            gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        gc.enable()


def run(program: Callable[[], object]) -> None:
    """Declare everything, then let the registrations start before the SDK begins to wait for outputs."""
    if debugging():
        program()
        return
    _silence_debug_messages()
    sdk_work.shorten()
    with imports():  # the clouds' SDKs are loaded where they are first used, inside
        program()
    _start_registrations()


def _silence_debug_messages() -> None:
    """Each one is a blocking call to the engine, four per resource, and the engine drops them."""
    if hasattr(pulumi, "log") and hasattr(pulumi.log, "debug"):
        pulumi.log.debug = _silent


def _start_registrations() -> None:
    """Turn the event loop before the SDK's wait begins.

    No registration has started when the program's body ends. The SDK then finds no call to wait for and watches all
    outputs of all resources instead, copying the set each time that one is known: quadratic, worse with a slow engine.
    """
    if not hasattr(pulumi, "run"):
        return  # an SDK before `pulumi.run`: slower, and right
    with suppress(pulumi.RunError):  # no stack around us (a test with mocks), or the program has its own entry point
        pulumi.run(_turn_twice)


async def _turn_twice() -> None:
    """Once to start the tasks, once more for the calls they make."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _silent(*_args: Any, **_kwargs: Any) -> None:
    """Stand in for `pulumi.log.debug`."""
