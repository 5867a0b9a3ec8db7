"""Loops of the arithmetic as machine code: compiled when first called, kept on disk where there is a place for it.

Only the modules of loops (`knapsack`, `filling`, `fitting`, `mixing`, `scheduling`) import this, and they are imported
when a solver needs them: numba takes nearly a second of a process, compiling all of them some ten seconds, once a
machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def machine_code(function: Callable[..., Any]) -> Any:
    """The function compiled; without a folder that can be written (no project, no home), each process compiles anew."""
    try:
        return njit(cache=True)(function)
    except RuntimeError:  # "cannot cache function ...: no locator available"
        return njit(function)
