"""In the program's process: on SIGUSR1, write the names of the resources that wait to be registered.

The engine cannot know them: an Output that never resolves keeps a resource from ever reaching it. The watchdog puts
this folder on the program's PYTHONPATH and asks by signal; nothing else happens here.
"""

# ruff: noqa: INP001, PLC0415, PTH105, PTH123 - runs at the start of every Python below the engine: as little as possible

from __future__ import annotations

import os
import sys

if False:  # for readers of types only: nothing more is loaded here
    from collections.abc import Iterator
    from typing import Any

_ANSWER = os.environ.get("ECOSYSTEM_WITNESS")


def _frames(coroutine: Any) -> Iterator[Any]:
    while coroutine is not None and hasattr(coroutine, "cr_frame"):
        if coroutine.cr_frame is not None:
            yield coroutine.cr_frame
        coroutine = coroutine.cr_await


def _waiting() -> Iterator[str]:
    import asyncio

    for task in asyncio.all_tasks():
        kind = name = None
        where = []
        for frame in _frames(task.get_coro()):
            seen = frame.f_locals
            if frame.f_code.co_name in {"do_register", "do_read", "do_invoke"}:
                kind = seen.get("ty") or seen.get("tok") or kind
                name = seen.get("name") or name
            if frame.f_code.co_name == "serialize_properties" and isinstance(seen.get("k"), str):
                where.append(seen["k"])
        if kind:
            yield f"{kind} {name or ''}".strip() + (f" (waits for {'.'.join(where)})" if where else "")


def _answer(_number: int, _frame: object) -> None:
    try:
        lines = sorted(set(_waiting()))
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is the answer
        lines = [f"cannot tell: {problem!r}"]
    with open(f"{_ANSWER}.{os.getpid()}.part", "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    os.replace(f"{_ANSWER}.{os.getpid()}.part", f"{_ANSWER}.{os.getpid()}")


if _ANSWER and any("pulumi-language-python-exec" in argument for argument in sys.orig_argv):
    import signal

    signal.signal(signal.SIGUSR1, _answer)
