"""What changed between the live object, cut to the program's shape, and the new inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.cloud import Difference
from sandbox.compare import differences
from sandbox.kubernetes.inputs import AUTONAMED
from sandbox.kubernetes.kinds import POD_KEEPS, replaces
from sandbox.kubernetes.options import Options
from sandbox.paths import matches
from sandbox.wire import Path

_PART: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')


def difference(before: Mapping[str, Any], news: dict[str, Any], ignore: Iterable[str], options: Options) -> Difference:
    """Compare; a replacement that keeps a name given by the user deletes first."""
    patterns = replaces(
        {**news, "immutable": news.get("immutable") or before.get("immutable")},
        secrets_mutable=options.secrets_mutable,
        maps_mutable=options.maps_mutable,
    )
    changes = {
        path: change
        for path, change in differences(dict(before), news)
        if not any(matches(path, pattern) for pattern in ignore) and path[:3] != ("metadata", "annotations", AUTONAMED)
    }
    pod = (news.get("kind"), news.get("apiVersion")) == ("Pod", "v1")
    replacing = frozenset(
        path
        for path in changes
        if any(matches(path, pattern) for pattern in patterns)
        and not (pod and any(matches(path, pattern) for pattern in POD_KEEPS))
    )
    old, new = before.get("metadata") or {}, news.get("metadata") or {}
    autonamed = AUTONAMED in (new.get("annotations") or {})
    same_place = all(old.get(key) == new.get(key) for key in ("name", "namespace"))
    return Difference(changes, replacing, bool(replacing) and same_place and not autonamed)


def property_path(text: str) -> Path:
    """Read a path as the engine writes it: spec.containers[0].image, metadata.annotations["a.b/c"]."""
    return tuple(int(index) if index else quoted or word for quoted, index, word in _PART.findall(text))


def value_at(values: Any, path: Path) -> Any:
    """Return what stands at a path, or None."""
    for part in path:
        if isinstance(values, Mapping):
            values = values.get(str(part))
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        else:
            return None
    return values
