"""Who gets which role on something of Google Cloud, however it is written: a member, a list, a whole policy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from charter.documents import Malformed
from charter.values import UNKNOWN, Reader, Undetermined


@dataclass(frozen=True)
class Grant:
    """One role for one member, and where each of them stands."""

    role: str
    member: str
    where: str
    path: str


def roles(reader: Reader) -> Iterator[tuple[str, str]]:
    """Yield path and name of each role that is granted; raise Undetermined when one is not known."""
    for binding in _bindings(reader):
        yield binding.at("role"), binding.text("role")


def grants(reader: Reader) -> Iterator[Grant]:
    """Yield each role with each member; known ones first, then an unknown raises Undetermined."""
    for binding in _bindings(reader):
        role = binding.raw("role")
        for name in ("member", "members"):
            if binding.raw(name) is None:
                continue
            for path, member in binding.items(name):
                yield Grant(role if isinstance(role, str) else "", str(member), binding.at("role"), path)


def _bindings(reader: Reader) -> Iterator[Reader]:
    data: Any = reader.raw("policyData")
    if data is None:
        yield reader
        return
    if data is UNKNOWN:
        raise Undetermined(reader.at("policyData"))
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except ValueError:
            raise Malformed(reader.at("policyData")) from None
    if not isinstance(data, dict):
        raise Malformed(reader.at("policyData"))
    yield from Reader(data, reader.at("policyData")).each("bindings")
