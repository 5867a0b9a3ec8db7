"""Change what exists behind the engine's back, so that a refresh has something to find."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sandbox.behaviour.rows import Row, row
from sandbox.kubernetes.backend import ObjectRef
from sandbox.kubernetes.behind import Behind, has_planes
from sandbox.paths import each, matches, parts
from sandbox.state import Database, Thing
from sandbox.wire import Path as Place
from sandbox.wire import show

DELETED = "(deleted)"


@dataclass(frozen=True)
class Planted:
    """One drift: what was changed, where, from what to what; path `(deleted)` when the thing is gone."""

    type: str
    id: str
    urn: str
    path: str
    before: Any
    after: Any

    def to_json(self) -> dict[str, Any]:
        """Give a form that json can write."""
        return asdict(self)


class NothingToDrift(LookupError):  # noqa: N818 - it says what is the case
    """No such thing exists in the stand-in clouds, or it has no such property."""


def plant(
    database: Path,
    type_token: str | None = None,
    id: str | None = None,  # noqa: A002 - the contract's name
    path: str | None = None,
) -> list[Planted]:
    """Change one property of a thing: the one named, one of a type, or (nothing named) one of every type.

    `path` is a property path as the engine writes it, or `(deleted)`. Without it a property that the program sets and
    that does not force a replacement is chosen; a thing that has none is deleted. Raises NothingToDrift.
    """
    if not database.exists():
        raise NothingToDrift(f"{database} does not exist: start the sandbox and bring a stack up first")
    store = Database(database)
    try:
        with store.transaction():
            planted = list(_things(store, type_token, id, path))
            planted += _objects(store, type_token, id, path)
    finally:
        store.close()
    if not planted:
        wanted = " ".join(filter(None, (type_token, id))) or "anything"
        raise NothingToDrift(f"{wanted} does not exist in {database}: `python -m sandbox left` lists what does")
    return planted


def _things(store: Database, type_token: str | None, id_: str | None, path: str | None) -> Iterator[Planted]:
    found: dict[str, list[Thing]] = {}
    for thing in store.find("1=1", ()):
        if type_token in {None, thing.type} and id_ in {None, thing.id}:
            found.setdefault(thing.type, []).append(thing)
    named = id_ is not None or path is not None
    for things in found.values():
        chosen = things[0] if named else _best(store, things)
        if chosen is not None:
            yield _change(store, chosen, path)


def _best(store: Database, things: list[Thing]) -> Thing | None:
    """Prefer one that can be changed in place, then one that nothing refers to; None when the cloud allows neither."""
    known = row(things[0].package, things[0].type)
    for thing in things:
        if _chosen(thing, known) is not None:
            return thing
    if known is not None and known.delete == "keep":
        return None
    used = {target for (target,) in store.execute("SELECT DISTINCT target FROM links")}
    return next((thing for thing in things if thing.pk not in used), None)


def _change(store: Database, thing: Thing, path: str | None) -> Planted:
    known = row(thing.package, thing.type)
    place = _chosen(thing, known) if path is None else tuple(_numbers(parts(path)))
    if path == DELETED or place is None:
        store.remove(thing)
        return Planted(thing.type, thing.id, thing.urn, DELETED, "exists", None)
    before = _get(thing.inputs, place)
    if before is None:
        raise NothingToDrift(f"{thing.type} {thing.id} has no property {path} that the program sets")
    after = other(before, _allowed(known, place))
    for side in (thing.inputs, thing.outputs):
        _put(side, place, after)
    store.change(thing)
    return Planted(thing.type, thing.id, thing.urn, show(place), before, after)


def _numbers(names: tuple[str, ...]) -> Iterator[str | int]:
    for name in names:
        yield int(name) if name.isdigit() else name.strip('"')


def _chosen(thing: Thing, known: Row | None) -> Place | None:
    for pattern in known.drift if known else ():
        for place, value in each(thing.inputs, pattern):
            if value not in (None, "", [], {}):
                return place
    fixed = {known.name.property} if known and known.name else {"name"}
    barred = (*known.replaces, *known.references, *known.immutable) if known else ()
    always = ("region", "project", "location", "resourceGroupName", "zone")
    for key in sorted(thing.inputs, key=lambda key: (not isinstance(thing.inputs[key], bool), key != "tags", key)):
        value = thing.inputs[key]
        if key in fixed or key in always or key.startswith("__") or value in (None, "", [], {}):
            continue
        if any(matches((key,), pattern) or parts(pattern)[0] == key for pattern in barred):
            continue
        return (key,)
    return None


def _allowed(known: Row | None, place: Place) -> tuple[Any, ...]:
    for pattern, values in (known.enums if known else {}).items():
        if matches(place, pattern):
            return values
    return ()


def other(value: Any, allowed: tuple[Any, ...] = ()) -> Any:  # noqa: PLR0911 - a case per shape
    """Give another value of the same shape."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1 if not allowed else next(item for item in allowed if item != value)
    if isinstance(value, str):
        if allowed:
            return next((item for item in allowed if item != value), value + "-drifted")
        if value.startswith("{"):
            return _document(value)
        if value in {"true", "false"}:
            return "false" if value == "true" else "true"
        return "192.0.2.0/24" if value.count(".") == 3 and "/" in value else f"{value}-drifted"  # noqa: PLR2004
    if isinstance(value, Mapping):
        key = next(iter(sorted(value)), "drifted")
        return {**value, key: other(value.get(key, "by-hand"))}
    if isinstance(value, list):
        return value[:-1] if len(value) > 1 else [other(item) for item in value]
    return value


def _document(text: str) -> str:
    """Change a JSON document and leave it one."""
    try:
        document = json.loads(text)
    except ValueError:
        return f"{text}-drifted"
    return json.dumps({**document, "Id": f"{document.get('Id', '')}by-hand"})


def _get(values: Any, place: Place) -> Any:
    for part in place:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return None
    return values


def _put(values: Any, place: Place, value: Any) -> None:
    for part in place[:-1]:
        try:
            values = values[part]
        except (KeyError, IndexError, TypeError):
            return
    key = place[-1]
    if isinstance(values, dict):
        values[key] = value
    elif isinstance(values, list) and isinstance(key, int) and key < len(values):
        values.__setitem__(key, value)


_OBJECT_PLACES = (
    "spec.hard.*",
    "data.*",
    "spec.replicas",
    "metadata.labels.*",
    "automountServiceAccountToken",
    "spec.limits[*].default.*",
    "spec.policyTypes[*]",
    "rules[*].verbs[*]",
    "metadata.annotations.*",
)


def _objects(store: Database, type_token: str | None, id_: str | None, path: str | None) -> list[Planted]:
    planted: list[Planted] = []
    seen: set[str] = set()
    rows = store.execute("SELECT cluster, api, kind, namespace, name, body FROM objects ORDER BY rowid")
    for cluster, api, kind, namespace, name, text in rows:
        token = f"kubernetes:{api if '/' in api else 'core/' + api}:{kind}"
        key = f"{namespace}/{name}" if namespace else name
        if type_token not in {None, token} or id_ not in {None, key} or token in seen:
            continue
        seen.add(token)
        body = json.loads(text)
        place = tuple(_numbers(parts(path))) if path not in {None, DELETED} and path else _place(body)
        where = (cluster, api, kind, namespace, name)
        behind: Behind | None = None
        if has_planes(store.path.parent, cluster):
            behind, ref = Behind(store.path.parent, cluster), ObjectRef(api, kind, namespace, name)
        if path == DELETED or not place or _get(body, place) is None:
            if behind is not None:
                behind.remove(ref)
            store.execute("DELETE FROM objects WHERE cluster=? AND api=? AND kind=? AND namespace=? AND name=?", where)
            planted.append(Planted(token, key, cluster, DELETED, "exists", None))
            continue
        before = _get(body, place)
        after = other(before, ("Ingress", "Egress") if kind == "NetworkPolicy" else ())
        _put(body, place, after)
        if behind is not None:
            live = behind.get(ref)
            _put(live, place, after)
            behind.put(ref, live)
        store.execute("UPDATE objects SET body=? WHERE cluster=? AND api=? AND kind=? AND namespace=? AND name=?",
                      (json.dumps(body), *where))  # fmt: skip
        planted.append(Planted(token, key, cluster, show(place), before, after))
    return planted


def _place(body: dict[str, Any]) -> Place | None:
    for pattern in _OBJECT_PLACES:
        for place, value in each(body, pattern):
            if "kubernetes.io/metadata.name" not in place and "pulumi.com/autonamed" not in place and value is not None:
                return place
    return None
