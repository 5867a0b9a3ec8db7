"""One stand-in cloud: check, diff, create, read, update and delete over schema, rows and state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc

from sandbox.asked import Asked
from sandbox.behaviour import every_rule, rules  # noqa: F401 - they register themselves
from sandbox.behaviour.outputs import complete
from sandbox.behaviour.rows import Row, row
from sandbox.behaviour.rules import Moment
from sandbox.behaviour.templates import Seed
from sandbox.checks import judge
from sandbox.compare import Change, differences
from sandbox.connection import Connection
from sandbox.errors import Failure, Refused
from sandbox.making import hosts, keep, make
from sandbox.naming import physical_name
from sandbox.paths import each, matches
from sandbox.profiles import PROFILES
from sandbox.schema.model import TypeSchema
from sandbox.schema.store import SchemaStore
from sandbox.schema.validate import validate
from sandbox.state import Database, Link, Stored, Thing
from sandbox.wire import UNKNOWN, Path, is_unknown


@dataclass(frozen=True)
class Difference:
    """What Diff found: paths, what happened there, and whether it replaces."""

    changes: dict[Path, Change]
    replaces: frozenset[Path]
    delete_first: bool


class Cloud:
    """The clouds without a control plane of their own kind: aws, gcp, azure-native, cloudflare."""

    def __init__(self, package: str, database: Database, store: SchemaStore, now: str) -> None:
        """Serve one package from one database; `now` is the stage's clock (RFC 3339)."""
        self.package = package
        self.database = database
        self.store = store
        self.now = now
        self.profile = PROFILES[package]()
        self.cluster_gone: Callable[[str], None] | None = None

    def check(
        self, asked: Asked, olds: Mapping[str, Any], news: dict[str, Any], random: bytes, proposed: str | None
    ) -> tuple[dict[str, Any], list[Failure]]:
        """Fill in the physical name and list every problem of the inputs."""
        if asked.type not in self.store:
            near = self.store.near(asked.type)
            hint = f"; did you mean {near[0]}?" if near else ""
            return news, [Failure("", f"unknown resource type {asked.type}{hint}")]
        schema = self.store.get(asked.type)
        known = row(self.package, asked.type)
        physical_name(self.profile, schema, known, asked, olds, news, random, proposed)
        failures = validate(schema, news)
        if known is not None:
            failures += judge(known, news)
            for name in known.rules:
                if name in rules.CHECKS:
                    failures += rules.CHECKS[name](news)
        return news, failures

    def diff(
        self, asked: Asked, old_inputs: Mapping[str, Any], news: Mapping[str, Any], ignore: list[str]
    ) -> Difference:
        """Compare the last inputs with the new ones."""
        schema = self.store.get(asked.type)
        known = row(self.package, asked.type)
        patterns = (*(known.replaces if known else ()), *schema.replace_on, *self._implied(schema))
        changes = {
            path: change
            for path, change in differences(old_inputs, news)
            if not any(matches(path, pattern) for pattern in ignore)
        }
        replaces = frozenset(path for path in changes if any(matches(path, pattern) for pattern in patterns))
        fixed = self._name_property(schema, known)
        same_name = bool(fixed) and fixed in news and old_inputs.get(fixed) == news[fixed]
        return Difference(changes, replaces, bool(replaces) and (same_name or _id_is_shared(known, old_inputs, news)))

    def create(
        self, asked: Asked, inputs: dict[str, Any], connection: Connection, *, preview: bool
    ) -> tuple[str, dict[str, Any]]:
        """Make a thing and return its id and outputs; in a preview only what is known before."""
        schema = self.store.get(asked.type)
        if preview:
            return "", complete(schema, inputs, None)
        with self.database.transaction():
            generation = self.database.count_up(f"urn:{asked.urn}")
            moment = self._moment(asked, inputs, connection, generation)
            known = row(self.package, asked.type)
            stored = self._references(known, moment)
            self._unique(schema, known, moment)
            self._rules(known, moment)
            thing = make(self.profile, schema, known, moment, stored)
            other = self.database.get(asked.type, thing.id, thing.scope, thing.region)
            if other is not None and other.region == thing.region:
                raise Refused(
                    known.name.code if known and known.name else "AlreadyExists",
                    f"{asked.type} {thing.id} already exists",
                    grpc.StatusCode.ALREADY_EXISTS,
                )
            self.database.add(thing, stored)
        return thing.id, thing.outputs

    def update(  # noqa: PLR0913 - the parts belong together
        self,
        asked: Asked,
        id_: str,
        olds: Mapping[str, Any],
        news: dict[str, Any],
        connection: Connection,
        *,
        preview: bool,
    ) -> dict[str, Any]:
        """Change a thing in place and return all its outputs."""
        schema = self.store.get(asked.type)
        known = row(self.package, asked.type)
        if preview:
            kept = keep(schema, known, olds, news)
            changed = {path[0] for path, _ in differences({k: olds.get(k) for k in news}, news) if path}
            for name, triggers in (known.volatile if known else {}).items():
                if not triggers or changed & set(triggers):
                    kept[name] = UNKNOWN
            return complete(schema, kept, None)
        with self.database.transaction():
            old = self._existing(asked, id_, connection, news)
            moment = self._moment(asked, news, connection, old.generation, old)
            if known:
                self._immutable(known, old, news)
            stored = self._references(known, moment)
            self._unique(schema, known, moment)
            self._rules(known, moment)
            changed = {path[0] for path, _ in differences(old.inputs, news) if path}
            moment.seed.facts["revision"] = str(1 + self.database.count_up(f"revision:{old.pk}"))
            kept = keep(schema, known, old.outputs, news)
            for name, triggers in (known.volatile if known else {}).items():
                if not triggers or changed & set(triggers):
                    kept.pop(name, None)
            thing = make(self.profile, schema, known, moment, stored, kept)
            self.database.change(thing, stored)
        return thing.outputs

    def read(
        self, asked: Asked, id_: str, connection: Connection, old_inputs: dict[str, Any], state: dict[str, Any]
    ) -> Thing | None:
        """Find a thing by its id; None when the cloud does not have it."""
        return self._get(asked, id_, connection, {**state, **old_inputs})

    def _get(self, asked: Asked, id_: str, connection: Connection, values: Mapping[str, Any]) -> Thing | None:
        region = self.profile.region(connection, values, row(self.package, asked.type))
        return self.database.get(asked.type, id_, connection.scope, region)

    def delete(self, asked: Asked, id_: str, connection: Connection, state: dict[str, Any]) -> None:
        """Delete a thing, unless it is protected or in use; one that is gone already is fine."""
        with self.database.transaction():
            thing = self._get(asked, id_, connection, state)
            if thing is None:
                return
            known = row(self.package, asked.type)
            if known and known.protection and first_true(thing, known.protection):
                words = known.protected
                raise Refused(
                    words.code if words else "OperationNotPermitted",
                    self._say(words.text if words else "{type} {id} has deletion protection enabled", thing),
                )
            if known and known.delete == "keep":
                return
            users = self.database.dependants(thing.pk)
            if users:
                user, path = users[0]
                words = (known.in_use if known else None) or self.profile.in_use
                raise Refused(words.code, self._say(words.text, thing, dependant=user.id, path=path))
            for inside in self.profile.inside(thing, self.database):
                self._drop_cluster(inside)
                self.database.remove(inside)
            self._drop_cluster(thing)
            self.database.remove(thing)

    # --- parts ---

    def _existing(self, asked: Asked, id_: str, connection: Connection, values: Mapping[str, Any]) -> Thing:
        thing = self._get(asked, id_, connection, values)
        if thing is None:
            words = self.profile.not_found
            raise Refused(words.code, words.text.format(type=asked.type, id=id_), grpc.StatusCode.NOT_FOUND)
        return thing

    def _moment(
        self, asked: Asked, inputs: dict[str, Any], connection: Connection, generation: int, old: Thing | None = None
    ) -> Moment:
        known = row(self.package, asked.type)
        region = old.region if old else self.profile.region(connection, inputs, known)
        facts = self.profile.facts(connection, asked.type, inputs, region)
        facts |= {"now": self.now, "logical": asked.name, "revision": "1"}
        schema = self.store.get(asked.type)
        name = str(inputs.get(self._name_property(schema, known)) or (old.name if old else "") or "")
        facts["name"] = name
        seed = Seed(asked.urn, generation, facts, inputs)
        defaults = connection.option("defaultTags")
        if isinstance(defaults, dict):
            facts["default_tags"] = json.dumps(defaults.get("tags") or {})
        return Moment(self.database, asked.type, connection.scope, region, inputs, seed, old)

    def _name_property(self, schema: TypeSchema, known: Row | None) -> str:
        if known is not None:
            return known.name.property if known.name else ""
        return self.profile.name_property(schema.token, schema.inputs.props, schema.outputs.props)

    @staticmethod
    def _implied(schema: TypeSchema) -> tuple[str, ...]:
        """Region, project and resource group belong to the identity of whatever has them."""
        return tuple(
            key for key in ("region", "project", "location", "resourceGroupName") if key in schema.inputs.props
        )

    def _references(self, known: Row | None, moment: Moment) -> Stored:
        stored = Stored()
        for pattern, reference in (known.references if known else {}).items():
            for path, value in each(moment.inputs, pattern):
                if not isinstance(value, str) or not value or is_unknown(value):
                    continue
                things = [
                    thing
                    for thing in self.database.by_handle(reference.to, value)
                    if self.profile.sees(moment, thing, value)
                ]
                if not things:
                    if reference.allow and re.fullmatch(reference.allow, value):
                        continue
                    text = reference.text.format(value=value, path=pattern, type=moment.type)
                    raise Refused(reference.code, text, grpc.StatusCode.NOT_FOUND)
                moment.found.setdefault(pattern, []).extend(things[:1])
                stored.links.append(Link(things[0].pk, ".".join(map(str, path)), reference.blocks))
        return stored

    def _unique(self, schema: TypeSchema, known: Row | None, moment: Moment) -> None:
        if known is None or known.name is None or not known.name.unique:
            return
        name = moment.seed.facts["name"]
        where, parameters = "type=? AND name=? AND pk<>?", [moment.type, name, moment.pk]
        if known.name.unique != "global":
            where, parameters = where + " AND scope=?", [*parameters, moment.scope]
        if known.name.unique == "region":
            where, parameters = where + " AND region=?", [*parameters, moment.region]
        for other in self.database.find(where, parameters) if name else ():
            if known.name.unique == "parent" and any(
                other.inputs.get(key) != moment.inputs.get(key) for key in known.name.parent
            ):
                continue
            text = known.name.text.format(type=schema.token, name=name)
            raise Refused(known.name.code, text, grpc.StatusCode.ALREADY_EXISTS)

    @staticmethod
    def _immutable(known: Row, old: Thing, news: Mapping[str, Any]) -> None:
        for path, _ in differences(old.inputs, news):
            for pattern, words in known.immutable.items():
                if matches(path, pattern):
                    raise Refused(words.code, words.text.format(id=old.id), grpc.StatusCode.INVALID_ARGUMENT)

    @staticmethod
    def _rules(known: Row | None, moment: Moment) -> None:
        for name in known.rules if known else ():
            if name in rules.CREATES:
                rules.CREATES[name](moment)

    def _drop_cluster(self, thing: Thing) -> None:
        """Objects live in their cluster: they go with it."""
        for host in hosts(thing.outputs):
            self.database.execute("DELETE FROM objects WHERE cluster=?", (host,))
            if self.cluster_gone is not None:
                self.cluster_gone(host)

    @staticmethod
    def _say(text: str, thing: Thing, dependant: str = "", path: str = "") -> str:
        link = thing.outputs.get("selfLink") or thing.id
        return text.format(type=thing.type, id=thing.id, name=thing.name, dependant=dependant, path=path, link=link)


def first_true(thing: Thing, pattern: str) -> bool:
    """Tell whether a flag of a thing is on."""
    return any(value is True or value == "true" for _, value in each(thing.outputs, pattern)) or any(
        value is True or value == "true" for _, value in each(thing.inputs, pattern)
    )


def _id_is_shared(known: Row | None, olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Tell whether the id of a type without a name is made of its inputs and would stay the same."""
    if (
        known is None
        or not known.id
        or known.name is not None
        or re.search(r"\{(hex|uuid|digits|base36|upper36)", known.id)
    ):
        return False
    fields = re.findall(r"\{([^{}:]+)\}", known.id)
    return all(olds.get(field) == news.get(field) for field in fields if field in news or field in olds)
