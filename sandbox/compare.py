"""Differences of two plain values, path by path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from sandbox.wire import Path

Change = Literal["add", "delete", "update"]


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, Change]]:  # noqa: C901, PLR0912 - a flat list of cases
    """Yield every leaf or branch that was added, deleted or changed."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            if path == () and key.startswith("__"):
                continue
            before, after = old.get(key), new.get(key)
            if before is None and after is None:
                continue
            if before is None:
                yield (*path, key), "add"
            elif after is None:
                yield (*path, key), "delete"
            else:
                yield from differences(before, after, (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            if index >= len(old):
                yield (*path, index), "add"
            elif index >= len(new):
                yield (*path, index), "delete"
            else:
                yield from differences(old[index], new[index], (*path, index))
    elif not _same(old, new):
        yield path, "update"


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, bool) or isinstance(new, bool):
        return (
            str(old).lower() == str(new).lower()
            if isinstance(old, bool | str) and isinstance(new, bool | str)
            else False
        )
    if isinstance(old, int | float) and isinstance(new, int | float):
        return float(old) == float(new)
    if (
        isinstance(old, str) != isinstance(new, str)
        and not isinstance(old, dict | list)
        and not isinstance(new, dict | list)
    ):
        return str(old) == str(new)
    return bool(old == new)
