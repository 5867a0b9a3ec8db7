"""Who owns which field of an object: managed fields, and how they change hands.

Source of the merge: k8s.io/client-go util/csaupgrade `UpgradeManagedFieldsPatch` (2026-11), which the vendor's provider
uses between a plain create and the first apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.wire import Path

Entry = dict[str, Any]


def entries(live: Mapping[str, Any]) -> list[Entry]:
    """Return the managed fields of an object."""
    return list((live.get("metadata") or {}).get("managedFields") or ())


def handed_over(live: Mapping[str, Any], managers: Iterable[str], to: str) -> list[Entry] | None:
    """Return the managed fields after some managers gave their updates to one that applies; None when none had any."""
    given = [item for item in entries(live) if _given(item, frozenset(managers))]
    if not given:
        return None
    kept = [item for item in entries(live) if item not in given]
    mine = next((item for item in kept if _applies(item, to)), None)
    if mine is None:
        mine = {**given[0], "manager": to, "operation": "Apply", "fieldsV1": {}}
        kept.insert(0, mine)
    fields: dict[str, Any] = dict(mine.get("fieldsV1") or {})
    for item in given:
        fields = _union(fields, item.get("fieldsV1") or {})
    return [{**item, "fieldsV1": fields} if item is mine else item for item in kept]


def _given(item: Entry, managers: frozenset[str]) -> bool:
    return item.get("manager") in managers and item.get("operation") == "Update" and not item.get("subresource")


def _applies(item: Entry, manager: str) -> bool:
    return item.get("manager") == manager and item.get("operation") == "Apply" and not item.get("subresource")


def _union(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _union(left.get(key, {}), right.get(key, {})) for key in {**left, **right}}


def updated_by(live: Mapping[str, Any], manager: str) -> bool:
    """Tell whether a manager still holds fields that it did not apply."""
    return any(_given(item, frozenset({manager})) for item in entries(live))


def owned_by_others(live: Mapping[str, Any], manager: str, path: Path) -> bool:
    """Tell whether somebody else owns a field of maps (list positions are not followed)."""
    for item in entries(live):
        if item.get("manager") == manager:
            continue
        fields: Any = item.get("fieldsV1") or {}
        for part in path:
            fields = fields.get(f"f:{part}") if isinstance(fields, Mapping) else None
        if fields is not None:
            return True
    return False


def ignoring(
    body: Mapping[str, Any], live: Mapping[str, Any], manager: str, ignored: Iterable[tuple[Path, Any]]
) -> dict[str, Any]:
    """Leave ignored fields of other managers out of a body; send the others with their live value."""
    result: dict[str, Any] = dict(body)
    for path, value in ignored:
        result = _with(result, path, None if owned_by_others(live, manager, path) else value)
    return result


def _with(values: Any, path: Path, value: Any) -> Any:
    head, *rest = path
    if isinstance(values, list):
        if not isinstance(head, int) or head >= len(values):
            return values
        changed = _with(values[head], tuple(rest), value) if rest else value
        return [changed if index == head else item for index, item in enumerate(values)]
    if not isinstance(values, Mapping):
        return values
    if rest:
        return {**values, head: _with(values[head], tuple(rest), value)} if head in values else values
    return {key: item for key, item in {**values, head: value}.items() if item is not None or key != head}
