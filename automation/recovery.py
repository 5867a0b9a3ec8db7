"""After an abnormal end: free our dead lock, adopt what the cloud made and nobody acknowledged, or refuse and list."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tempfile
from base64 import b32encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from automation import locks
from automation.exits import Ending, Exit
from automation.journal import Intent, Journal

if TYPE_CHECKING:
    from automation.engine import Engine

TAG: Final = "idempotency"
TAG_LENGTH: Final = 26
PACKAGES_WITH_TAGS: Final = ("aws:", "gcp:", "azure-native:")


def idempotency(urn: str) -> str:
    """The value of the idempotency tag, as components/tagging.py sets it: base32(sha256(URN)), 26 characters."""
    return b32encode(hashlib.sha256(urn.encode()).digest()).decode().lower()[:TAG_LENGTH]


@dataclass(frozen=True)
class Search:
    """What a look into a cloud brought: ids by URN, and URNs that could not be looked for."""

    found: Mapping[str, str]
    unsearchable: tuple[str, ...] = ()


class Finder(Protocol):
    """Looks for resources by their idempotency tag."""

    def find(self, intents: Iterable[Intent]) -> Search: ...


class SandboxFinder:
    """Asks the stand-in clouds' own database, which also remembers who ordered what carries no tag."""

    def __init__(self, database: Path) -> None:
        self.database = database

    def find(self, intents: Iterable[Intent]) -> Search:
        import sqlite3  # noqa: PLC0415 - only a recovery reads the database
        from contextlib import closing  # noqa: PLC0415

        if not self.database.exists():
            return Search({})
        urns = {intent.urn for intent in intents}
        tags = {idempotency(urn): urn for urn in urns}
        found: dict[str, str] = {}
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)) as connection:
            for urn, id_, inputs in connection.execute("SELECT urn, id, inputs FROM things ORDER BY pk"):
                tag = _tag_of(json.loads(inputs))
                owner = tags.get(tag) if tag else (urn if urn in urns else None)
                if owner:
                    found[owner] = id_
        return Search(found)


def _tag_of(inputs: Mapping[str, Any]) -> str | None:
    """The idempotency tag among a resource's tags or labels."""
    maps = (inputs.get(name) for name in ("tags", "labels", "resourceLabels", "userLabels"))
    return next((str(tags[TAG]) for tags in maps if isinstance(tags, dict) and TAG in tags), None)


class CommandFinder:
    """Asks a real cloud through its own command line, where that is installed; the rest is unsearchable."""

    def find(self, intents: Iterable[Intent]) -> Search:
        found: dict[str, str] = {}
        unsearchable: list[str] = []
        for intent in intents:
            answer = self._ask(intent)
            if answer is None:
                unsearchable.append(intent.urn)
            elif answer:
                found[intent.urn] = answer
        return Search(found, tuple(unsearchable))

    def _ask(self, intent: Intent) -> str | None:
        """The import id, "" when nothing carries the tag, None when it cannot be asked."""
        tag = idempotency(intent.urn)
        package = intent.type.split(":", 1)[0]
        query = {
            "aws": ["aws", "resourcegroupstaggingapi", "get-resources", "--tag-filters", f"Key={TAG},Values={tag}",
                    "--query", "ResourceTagMappingList[].ResourceARN", "--output", "json"],
            "gcp": ["gcloud", "asset", "search-all-resources", f"--query=labels.{TAG}={tag}", "--format=json(name)"],
            "azure-native": ["az", "graph", "query", "-q", f"Resources | where tags.{TAG} == '{tag}' | project id",
                             "--query", "data[].id", "-o", "json"],
        }.get(package)  # fmt: skip
        if query is None or shutil.which(query[0]) is None:
            return None
        asked = subprocess.run(query, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - fixed words
        if asked.returncode:
            return None
        rows = json.loads(asked.stdout or "[]")
        names = [row["name"].removeprefix("//") if isinstance(row, dict) else str(row) for row in rows]
        if not names:
            return ""
        return names[0].rsplit("/", 1)[-1] if package == "aws" else names[0]


@dataclass
class Recovered:
    """What a recovery did."""

    freed_locks: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)  # begun, but the cloud never made it
    retried: list[str] = field(default_factory=list)  # carries no tag; its identity is its arguments

    @property
    def anything(self) -> bool:
        return bool(self.freed_locks or self.adopted or self.forgotten or self.retried)

    def lines(self) -> list[str]:
        return [
            *(f"freed the lock of our own dead engine: {lock}" for lock in self.freed_locks),
            *(f"adopted {urn}" for urn in self.adopted),
            *(f"was never made: {urn}" for urn in self.forgotten),
            *(
                f"cannot be searched by tag, is made again (a second one is refused by the cloud): {urn}"
                for urn in self.retried
            ),
        ]


def free_locks(backend_url: str, project: str, stack: str, journal: Journal) -> list[str]:
    """Free the dead locks of our own engines; another's lock ends the run (exit 1) and is named."""
    directory = locks.backend_directory(backend_url)
    if directory is None:
        return []
    held = locks.held(directory, project, stack)
    if not held:
        return []
    freed, kept = locks.free_own_dead(held, journal.past().engines)
    if kept:
        dead = [lock for lock in kept if not lock.holder_lives()]
        hint = (
            (f"its process is gone, but it is not one of ours: delete {dead[0].path} if you know it ended",)
            if dead
            else ()
        )
        raise Ending(
            Exit.FAILED,
            "locked",
            f"another run holds the lock of stack {stack}: wait for it, or stop it there",
            (*(str(lock) for lock in kept), *hint),
        )
    return [str(lock.path.name) for lock in freed]


def _doubtful(state: Mapping[str, Any], journal: Journal) -> list[Intent]:
    """Creates that may exist without the state knowing: from the journal and from the engine's pending operations."""
    deployment = state.get("deployment") or {}
    known = {r["urn"] for r in deployment.get("resources") or () if r.get("id") and not r.get("delete")}
    intents = {intent.urn: intent for intent in journal.past().open if intent.urn not in known}
    for pending in deployment.get("pending_operations") or ():
        resource = pending["resource"]
        if pending["type"] in {"creating", "importing"} and resource["urn"] not in known:
            urn = resource["urn"]
            intents.setdefault(
                urn,
                Intent(urn, resource["type"], "state", resource.get("parent", ""), resource.get("provider", "")),
            )
    return list(intents.values())


def settle(engine: Engine, journal: Journal, finder: Finder, *, again: frozenset[str] = frozenset()) -> Recovered:
    """Bring state and clouds together after an abnormal end.

    `again`: URNs that somebody looked for by hand and did not find: they are made again.
    Ends the run (exit 4) when something may exist that cannot be looked for.
    """
    done = Recovered()
    state = engine.export()
    doubtful = _doubtful(state, journal)
    pending = (state.get("deployment") or {}).get("pending_operations") or []
    if not doubtful and not pending:
        journal.settle()
        return done
    search = finder.find(doubtful)
    unknown = []
    for intent in doubtful:
        if intent.urn in search.found or intent.id:
            continue
        if intent.urn not in search.unsearchable or intent.urn in again:
            done.forgotten.append(intent.urn)
        elif not intent.type.startswith(PACKAGES_WITH_TAGS):
            done.retried.append(intent.urn)
        else:
            unknown.append(intent)
    if unknown:
        raise Ending(
            Exit.REFUSED,
            "orphans",
            f"{len(unknown)} resources may exist in a cloud unknown to the state, and cannot be looked for here",
            tuple(
                f"{intent.urn}: look for tag {TAG}={idempotency(intent.urn)}; `pulumi import` it, or say --again URN"
                for intent in unknown
            ),
        )
    adopt = [intent for intent in doubtful if intent.urn in search.found or intent.id]
    if pending:
        state["deployment"]["pending_operations"] = []
        engine.import_state(state)
    if adopt:
        _adopt(engine, state, adopt, search.found)
        done.adopted += [intent.urn for intent in adopt]
    journal.settle()
    return done


def _adopt(engine: Engine, state: Mapping[str, Any], intents: list[Intent], found: Mapping[str, str]) -> None:
    """Import what exists under its own URN; the next update compares it with the program."""
    resources = {r["urn"]: r for r in (state.get("deployment") or {}).get("resources") or ()}
    names: dict[str, str] = {}

    def named(urn: str) -> str:
        return names.setdefault(urn, f"r{len(names)}")

    listed = []
    for intent in intents:
        entry: dict[str, Any] = {
            "type": intent.type,
            "name": intent.urn.rsplit("::", 1)[-1],
            "id": found.get(intent.urn) or intent.id,
        }
        provider = intent.provider.rsplit("::", 1)[0]
        if intent.parent in resources and "pulumi:pulumi:Stack" not in intent.parent:
            entry["parent"] = named(intent.parent)
        if provider in resources:
            entry["provider"] = named(provider)
        listed.append(entry)
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump({"nameTable": {name: urn for urn, name in names.items()}, "resources": listed}, file)
        file.flush()
        outcome = engine.operate(
            "import", "--file", file.name, "--yes", "--skip-preview", "--generate-code=false", "--protect=false"
        )
    if not outcome.ok:
        raise Ending(
            Exit.FAILED,
            "orphans",
            "the resources below exist in a cloud, but the engine could not adopt them",
            (*(f"{entry['type']} {entry['name']} = {entry['id']}" for entry in listed), *outcome.stderr.splitlines()),
        )
