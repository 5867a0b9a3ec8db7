"""Which objects of real API servers exist, written into the stage's database, so that what is left can be counted."""

from __future__ import annotations

import json

from sandbox.kubernetes.backend import Json, ObjectRef
from sandbox.state import Database


class Ledger:
    """The objects of one cluster that came through the port (the server's own are not counted)."""

    def __init__(self, database: Database, cluster: str) -> None:
        """Write rows of `cluster` into the table that the schema-only backend uses too."""
        self._database = database
        self._cluster = cluster

    def made(self, ref: ObjectRef, body: Json) -> None:
        """Note an object and what the program asked for (planting a drift chooses from it); the server has the rest."""
        row = (self._cluster, ref.api_version, ref.kind, ref.namespace, ref.name, json.dumps(body))
        self._database.execute("INSERT OR REPLACE INTO objects VALUES (?,?,?,?,?,?)", row)

    def gone(self, ref: ObjectRef) -> None:
        """Strike an object off, and with a namespace all that was in it."""
        self._database.execute(
            "DELETE FROM objects WHERE cluster=? AND api=? AND kind=? AND namespace=? AND name=?",
            (self._cluster, ref.api_version, ref.kind, ref.namespace, ref.name),
        )
        if ref.kind == "Namespace":
            self._database.execute("DELETE FROM objects WHERE cluster=? AND namespace=?", (self._cluster, ref.name))
