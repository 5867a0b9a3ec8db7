"""The door for reports: `python -m charter.reachable BEFORE.json AFTER.json` says what becomes reachable from where.

Both files have the form of an exported state; what is not known before an update may stand there as the engine writes
it. One JSON object goes to standard output; the exit code is 2 when a file cannot be read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from charter.graph import Graph
from charter.offline import WRONG_INPUT
from charter.reach import OWN, Steps, clouds
from charter.reach_pods import clusters
from charter.rule import Open
from charter.states import resources

Edge = tuple[str, str, str]


@dataclass
class Reach:
    """Every step that firewalls let through, and the shortest way from the internet to each store that has one."""

    edges: dict[Edge, tuple[str, str]] = field(default_factory=dict)
    stores: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def _parts(graph: Graph) -> Iterator[Steps]:
    yield clouds(graph)
    yield from clusters(graph)


def _unread(one: Open) -> str:
    return f"{one.urn.rpartition('::')[2]}: {one.path}"


def reach(document: Mapping[str, Any]) -> Reach:
    """Walk one state; raises WrongState when it is none."""
    found = Reach()
    for steps in _parts(Graph(resources(document))):
        for source, targets in steps.after.items():
            for target, how in targets.items():
                if how not in OWN:
                    names = steps.names.get(source, source.rpartition("::")[2]), steps.names.get(target, target)
                    found.edges[source, target, how] = names
        found.stores |= {store.urn: steps.told(way) for store, way in steps.ways()}
        found.unread += [_unread(one) for one in steps.unread]
    return found


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What is new and what is gone, as names; `unread` is what the solver could not read afterwards."""
    was, now = reach(before), reach(after)

    def listed(edges: dict[Edge, tuple[str, str]], other: dict[Edge, tuple[str, str]]) -> list[dict[str, str]]:
        fresh = sorted((*names, edge[2]) for edge, names in edges.items() if edge not in other)
        return [{"from": source, "to": target, "how": how} for source, target, how in fresh]

    return {
        "new": listed(now.edges, was.edges),
        "gone": listed(was.edges, now.edges),
        "stores": sorted(way for urn, way in now.stores.items() if was.stores.get(urn) != way),
        "unread": sorted(set(now.unread)),
        "edges": len(now.edges),
    }


def main(arguments: list[str]) -> int:
    """Compare the two states of the arguments; return the exit code."""
    try:
        before, after = (json.loads(Path(name).read_text("utf-8")) for name in arguments)
        made = compare(before, after)
    except (OSError, ValueError) as wrong:
        sys.stderr.write(f"{' '.join(arguments)}: {type(wrong).__name__}: give two exported states\n")
        return WRONG_INPUT
    json.dump(made, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
