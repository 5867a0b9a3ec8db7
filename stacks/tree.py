"""The raw stack file seen through its structure: what is absent or of the wrong type is simply not there.

Checks read it instead of the model, so that one wrong value does not hide the other problems of the file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from stacks.clouds import CLOUDS, Cloud

Path = tuple[str | int, ...]


class Tree:
    """A stack file's structured key as plain data; values at a path in `bad`, and below, are not seen."""

    def __init__(self, data: Any, bad: Collection[Path] = ()) -> None:
        self._data = data
        self.bad = frozenset(bad)

    def at(self, *path: str | int) -> Any:
        """Return the value at a path, or None."""
        value = self._data
        for depth, step in enumerate(path):
            if path[: depth + 1] in self.bad:
                return None
            if isinstance(value, Mapping) and isinstance(step, str):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return None
        return value

    def mapping(self, *path: str | int) -> Mapping[str, Any]:
        """Return the mapping at a path; empty when there is none."""
        value = self.at(*path)
        return value if isinstance(value, Mapping) else {}

    def items(self, *path: str | int) -> list[Any]:
        """Return the list at a path, with None in place of what is not to be seen; empty when there is none."""
        value = self.at(*path)
        return [self.at(*path, i) for i in range(len(value))] if isinstance(value, list) else []

    def text(self, *path: str | int) -> str | None:
        """Return the text at a path, or None."""
        value = self.at(*path)
        return value if isinstance(value, str) else None

    def whole(self, *path: str | int) -> int | None:
        """Return the whole number at a path, or None."""
        value = self.at(*path)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, *path: str | int) -> bool | None:
        """Return the boolean at a path, or None."""
        value = self.at(*path)
        return value if isinstance(value, bool) else None

    def clouds(self) -> tuple[Cloud, ...]:
        """Return the clouds that the file speaks of."""
        return tuple(cloud for cloud in CLOUDS if self.at("clouds", cloud) is not None)

    def regions(self) -> Iterator[tuple[Cloud, str]]:
        """Cloud and name of each region."""
        for cloud in self.clouds():
            for region in self.mapping("clouds", cloud, "regions"):
                yield cloud, region

    def clusters(self) -> dict[str, tuple[Cloud, str]]:
        """Cloud and region of each cluster by its name, as far as the file lets us know them."""
        return {f"{cloud}-{name}": (cloud, name) for cloud, name in self.regions()}

    def knows_regions(self, cloud: Cloud) -> bool:
        """Whether the file lets us know the regions of a cloud, and be it that there are none."""
        if not isinstance(self.at("clouds"), Mapping) or ("clouds", cloud) in self.bad:
            return False
        return self.at("clouds", cloud) is None or isinstance(self.at("clouds", cloud, "regions"), Mapping)

    def pools_path(self, cluster: str) -> Path:
        """Where the pools of a cluster are written."""
        own: Path = ("clusters", "overrides", cluster, "pools")
        return own if self.at(*own) is not None or own in self.bad else ("clusters", "pools")

    def pools(self, cluster: str) -> Mapping[str, Any] | None:
        """Return the pools of a cluster; None when the file does not let us know them."""
        value = self.at(*self.pools_path(cluster))
        return value if isinstance(value, Mapping) else None
