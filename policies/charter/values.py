"""Values as the engine hands them over, in three states: a value, absent, or unknown until an update."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

from pulumi_policy.proxy import (
    UNKNOWN_ARCHIVE_VALUE,
    UNKNOWN_ARRAY_VALUE,
    UNKNOWN_ASSET_VALUE,
    UNKNOWN_BOOLEAN_VALUE,
    UNKNOWN_NUMBER_VALUE,
    UNKNOWN_OBJECT_VALUE,
    UNKNOWN_STRING_VALUE,
)

SECRET: Final = "[secret]"  # noqa: S105  what `pulumi policy analyze --file` puts for a secret it cannot read
SENTINELS: Final = frozenset(
    {
        UNKNOWN_ARCHIVE_VALUE,
        UNKNOWN_ARRAY_VALUE,
        UNKNOWN_ASSET_VALUE,
        UNKNOWN_BOOLEAN_VALUE,
        UNKNOWN_NUMBER_VALUE,
        UNKNOWN_OBJECT_VALUE,
        UNKNOWN_STRING_VALUE,
        SECRET,
    }
)


class Unknown:
    """A value that only an update will tell."""

    def __repr__(self) -> str:
        """Say so in messages."""
        return "(known after the update)"


UNKNOWN: Final = Unknown()


class Undetermined(Exception):  # noqa: N818  not an error: the rule could not decide, and says at which path
    """Raised by a rule that meets an unknown where it must decide; `path` names it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def plain(value: Any) -> Any:
    """Turn the engine's proxies into dicts and lists, once; unknown leaves become UNKNOWN, whole numbers ints.

    The proxies are no dict and no list and raise on an unknown, so a rule written with `isinstance` would silently
    pass and one that raises would take all other rules with it.
    """
    if isinstance(value, str):
        return UNKNOWN if value in SENTINELS else value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, Mapping):
        target = value if isinstance(value, dict) else cast("Mapping[str, Any]", value["__target"])
        return {key: plain(target[key]) for key in target}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        items = value if isinstance(value, list) else cast("Sequence[Any]", value["__target"])  # type: ignore[call-overload]  # the proxy's own back door
        return [plain(item) for item in items]
    return value


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf with its path (`a.b[0].c`); maps and lists themselves are not leaves, empty ones are."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from walk(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from walk(item, f"{path}[{index}]")
    else:
        yield path, value


def texts(value: dict[str, Any] | list[Any], path: str, found: list[tuple[str, str]]) -> None:
    """Add every text that is not empty, with its path; what `walk` does, without its cost for all other leaves."""
    mapped = isinstance(value, dict)
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if not item or not isinstance(item, str | dict | list):
            continue
        where = (f"{path}.{key}" if path else str(key)) if mapped else f"{path}[{key}]"
        if isinstance(item, str):
            found.append((where, item))
        else:
            texts(item, where, found)


def hazy(value: Any) -> bool:
    """Say whether a part of a value is not known yet."""
    return any(leaf is UNKNOWN for _, leaf in walk(value))


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


class Reader:
    """Reads properties by dotted path; an unknown on the way raises `Undetermined` with its path.

    A value of another shape than the rule expects (a text where a map belongs) reads as absent or as one item: the
    schema of the provider is not this room's business, and a rule must not fall over it.
    """

    __slots__ = ("path", "props")

    def __init__(self, props: Mapping[str, Any], path: str = "") -> None:
        self.props = props
        self.path = path

    def at(self, path: str) -> str:
        """Return the full path of a path below this reader."""
        return f"{self.path}.{path}" if self.path and path else self.path or path

    def raw(self, path: str) -> Any:
        """Return the value, None when absent, UNKNOWN when it or a parent is not known yet."""
        value: Any = self.props
        for step in _steps(path):
            if type(value) is list and len(value) == 1:
                value = value[0]  # some providers write a block that may stand once as a list of one
            if not isinstance(value, dict):
                return UNKNOWN if value is UNKNOWN else None
            value = value.get(step)
        return value

    def read(self, path: str, default: Any = None) -> Any:
        """Return the value, or `default` when absent; raise `Undetermined` when it is not known yet."""
        value = self.raw(path)
        if value is UNKNOWN:
            raise Undetermined(self.at(path))
        return default if value is None else value

    def text(self, path: str, default: str = "") -> str:
        """Return a text; anything that is no text, number or boolean reads as the default."""
        value = self.read(path, default)
        return str(value) if isinstance(value, str | int | float) else default

    def number(self, path: str, default: float = 0) -> float:
        """Return a number, also one that is written as text; anything else reads as the default."""
        value = self.read(path, default)
        try:
            return float(value)
        except (TypeError, ValueError, OverflowError):
            return default

    def flag(self, path: str, *, default: bool = False) -> bool:
        """Return a boolean; the texts "true" and "false" count as booleans, as some providers take them."""
        value = self.read(path, default)
        return value.lower() == "true" if isinstance(value, str) else bool(value)

    def has(self, path: str) -> bool:
        """Say whether something is there; one that only an update tells is, unless its map is unknown too."""
        parent = path.rpartition(".")[0]
        if parent and self.raw(parent) is UNKNOWN:
            raise Undetermined(self.at(parent))
        return self.raw(path) not in (None, "", [], {})

    def map(self, path: str) -> dict[str, Any]:
        """Return the map at `path`; absent, or of another shape, reads as empty."""
        value = self.read(path, {})
        return value if isinstance(value, dict) else {}

    def inside(self, path: str) -> Reader:
        """Return a reader of the map at `path`, or of the only map of a list there; an absent one reads as empty."""
        value = self.read(path, {})
        if isinstance(value, list) and len(value) == 1:
            path, value = f"{path}[0]", value[0]
            if value is UNKNOWN:
                raise Undetermined(self.at(path))
        return Reader(value if isinstance(value, dict) else {}, self.at(path))

    def each(self, path: str) -> Iterator[Reader]:
        """Yield a reader per map of the list at `path`; a single map counts as a list of one."""
        for where, item in self.items(path):
            if isinstance(item, dict):
                yield Reader(item, where)

    def items(self, path: str) -> Iterator[tuple[str, Any]]:
        """Yield path and value of each item; one value is a list of one. Known ones first, then an unknown raises."""
        value = self.read(path, [])
        if not isinstance(value, list):
            yield self.at(path), value
            return
        open_at = None
        for index, item in enumerate(value):
            where = self.at(f"{path}[{index}]")
            if item is UNKNOWN:
                open_at = open_at or where
            else:
                yield where, item
        if open_at:
            raise Undetermined(open_at)

    def sure(self, path: str) -> tuple[list[tuple[str, Any]], str]:
        """Return path and value of what is known of the list at `path`, and the path of the first that is not."""
        value = self.raw(path)
        if value is None or value is UNKNOWN:
            return [], self.at(path) if value is UNKNOWN else ""
        if not isinstance(value, list):
            return [(self.at(path), value)], ""
        told = [(self.at(f"{path}[{index}]"), item) for index, item in enumerate(value)]
        known = [(where, item) for where, item in told if item is not UNKNOWN]
        return known, "" if len(known) == len(told) else next(where for where, item in told if item is UNKNOWN)

    def texts(self, path: str) -> list[str]:
        """Return the texts of the list at `path`; anything else in it is left out, any unknown raises."""
        return [item for _, item in self.items(path) if isinstance(item, str)]

    def values(self, path: str) -> list[Any]:
        """Return the items of the list at `path`; any unknown among them raises."""
        return [item for _, item in self.items(path)]
