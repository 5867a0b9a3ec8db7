"""What exists in the stand-in clouds: one SQLite file, readable by other processes at any time."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS things (
  pk INTEGER PRIMARY KEY, package TEXT NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, urn TEXT NOT NULL,
  generation INTEGER NOT NULL, scope TEXT NOT NULL, region TEXT NOT NULL, name TEXT NOT NULL,
  inputs TEXT NOT NULL, outputs TEXT NOT NULL, ready INTEGER NOT NULL DEFAULT 1);
CREATE UNIQUE INDEX IF NOT EXISTS things_id ON things (type, id, scope, region);
CREATE INDEX IF NOT EXISTS things_urn ON things (urn);
CREATE TABLE IF NOT EXISTS handles (pk INTEGER NOT NULL, type TEXT NOT NULL, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS handles_value ON handles (value, type);
CREATE INDEX IF NOT EXISTS handles_pk ON handles (pk);
CREATE TABLE IF NOT EXISTS links (source INTEGER NOT NULL, target INTEGER NOT NULL, path TEXT NOT NULL,
  blocks INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS links_source ON links (source);
CREATE INDEX IF NOT EXISTS links_target ON links (target);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
  cluster TEXT NOT NULL, api TEXT NOT NULL, kind TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (cluster, api, kind, namespace, name));
"""


@dataclass
class Thing:
    """One resource that exists in a cloud."""

    package: str
    type: str
    id: str
    urn: str
    generation: int
    scope: str  # account, project or subscription
    region: str
    name: str  # physical name, "" when the type has none
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    pk: int = 0
    ready: bool = True


@dataclass
class Link:
    """A reference from one thing to another."""

    target: int
    path: str
    blocks: bool  # the target cannot be deleted while this exists


@dataclass
class Stored:
    """What is written with a thing: the values it can be found by, and what it refers to."""

    handles: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


_COLUMNS = "pk, package, type, id, urn, generation, scope, region, name, inputs, outputs, ready"


def _thing(row: tuple[Any, ...]) -> Thing:
    pk, package, type_, id_, urn, generation, scope, region, name, inputs, outputs, ready = row
    return Thing(
        package, type_, id_, urn, generation, scope, region, name,
        json.loads(inputs), json.loads(outputs), pk, bool(ready),
    )  # fmt: skip


class Database:
    """The one door to the file; calls of many threads are put in order."""

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises sqlite3.DatabaseError for a file that is none."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.lock = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")  # survives a killed process; a stage needs no more
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do all of it or nothing, and let nobody in between."""
        with self.lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and fetch everything."""
        with self.lock:
            return self._connection.execute(sql, tuple(parameters)).fetchall()

    def count_up(self, name: str) -> int:
        """Add one to a counter that outlives the process and return its new value."""
        sql = "INSERT INTO counters VALUES (?, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1 RETURNING value"
        return int(self.execute(sql, (name,))[0][0])

    def add(self, thing: Thing, stored: Stored) -> Thing:
        """Write a new thing. Raises sqlite3.IntegrityError when its id is taken."""
        with self.transaction():
            sql = f"INSERT INTO things ({_COLUMNS}) VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?) RETURNING pk"  # noqa: S608 - only marks and column names
            row = self.execute(
                sql,
                (
                    thing.package, thing.type, thing.id, thing.urn, thing.generation, thing.scope, thing.region,
                    thing.name, json.dumps(thing.inputs), json.dumps(thing.outputs), int(thing.ready),
                ),
            )  # fmt: skip
            thing.pk = int(row[0][0])
            self._attach(thing, stored)
        return thing

    def change(self, thing: Thing, stored: Stored | None = None) -> None:
        """Write new inputs and outputs of a thing, and its references when given."""
        with self.transaction():
            self.execute(
                "UPDATE things SET inputs=?, outputs=?, name=?, ready=? WHERE pk=?",
                (json.dumps(thing.inputs), json.dumps(thing.outputs), thing.name, int(thing.ready), thing.pk),
            )
            if stored is not None:
                self.execute("DELETE FROM handles WHERE pk=?", (thing.pk,))
                self.execute("DELETE FROM links WHERE source=?", (thing.pk,))
                self._attach(thing, stored)

    def _attach(self, thing: Thing, stored: Stored) -> None:
        for value in dict.fromkeys(stored.handles):
            self.execute("INSERT INTO handles VALUES (?,?,?)", (thing.pk, thing.type, value))
        for link in stored.links:
            self.execute("INSERT INTO links VALUES (?,?,?,?)", (thing.pk, link.target, link.path, int(link.blocks)))

    def remove(self, thing: Thing) -> None:
        """Forget a thing and what it refers to."""
        with self.transaction():
            self.execute("DELETE FROM things WHERE pk=?", (thing.pk,))
            self.execute("DELETE FROM handles WHERE pk=?", (thing.pk,))
            self.execute("DELETE FROM links WHERE source=? OR target=?", (thing.pk, thing.pk))

    def find(self, where: str, parameters: Iterable[Any]) -> list[Thing]:
        """Return the things that a condition over the columns of `things` selects, oldest first."""
        rows = self.execute(f"SELECT {_COLUMNS} FROM things WHERE {where} ORDER BY pk", parameters)  # noqa: S608
        return [_thing(row) for row in rows]

    def get(self, type_: str, id_: str, scope: str, region: str = "") -> Thing | None:
        """Return the thing of that type, id and scope; the region decides where an id exists in several."""
        found = self.find("type=? AND id=? AND scope=?", (type_, id_, scope))
        return next((thing for thing in found if thing.region == region), found[0] if found else None)

    def by_handle(self, types: tuple[str, ...], value: str) -> list[Thing]:
        """Return things of some types that are known by this id, ARN, name or link."""
        marks = ",".join("?" * len(types))
        return self.find(
            f"pk IN (SELECT pk FROM handles WHERE value=? AND type IN ({marks}))",  # noqa: S608 - only marks
            (value, *types),
        )

    def dependants(self, pk: int) -> list[tuple[Thing, str]]:
        """Return the things whose reference forbids that this one is deleted, each with the referring path."""
        paths = dict(self.execute("SELECT source, path FROM links WHERE target=? AND blocks=1", (pk,)))
        marks = ",".join("?" * len(paths))
        return [(thing, paths[thing.pk]) for thing in self.find(f"pk IN ({marks})", tuple(paths))]


def count_left(path: Path) -> int:
    """Count what still exists in the stand-in clouds, Kubernetes objects included."""
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        return sum(
            int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - only marks and column names
            for table in ("things", "objects")
        )


def list_left(path: Path) -> list[tuple[str, str, str]]:
    """List what still exists as (type, id, urn)."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        left = connection.execute("SELECT type, id, urn FROM things ORDER BY pk").fetchall()
        objects = connection.execute("SELECT api, kind, namespace, name, cluster FROM objects").fetchall()
    return left + [
        (f"kubernetes:{api}:{kind}", f"{namespace}/{name}".lstrip("/"), cluster)
        for api, kind, namespace, name, cluster in objects
    ]


def lift_deletion_protection(path: Path) -> int:
    """Switch deletion protection off everywhere, as a rehearsal does before it destroys; returns how many."""
    flags = ("deletionProtection", "enableDeletionProtection", "deletionProtectionEnabled", "disableApiTermination")
    lifted = 0
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute("BEGIN IMMEDIATE")
        for pk, inputs, outputs in connection.execute("SELECT pk, inputs, outputs FROM things").fetchall():
            sides = [json.loads(inputs), json.loads(outputs)]
            if not any(side.get(flag) is True for side in sides for flag in flags):
                continue
            for side in sides:
                side.update({flag: False for flag in flags if side.get(flag) is True})
            connection.execute(
                "UPDATE things SET inputs=?, outputs=? WHERE pk=?", (json.dumps(sides[0]), json.dumps(sides[1]), pk)
            )
            lifted += 1
    return lifted
