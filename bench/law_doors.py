"""L4, L7 and L8: labelled pods, the four doors of a stack, and the door of a cluster, each against who decides."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, Final

from bench.figure import Figure, rounded
from bench.processes import Used, run
from bench.program import PROJECT

STANDARD: Final = frozenset(f"K8S-POD-0{number}" for number in range(1, 8))
"""The rules that together are Pod Security Standards restricted."""


def labelled() -> Iterable[Figure]:
    """Yield what the rules of the restricted standard find in a labelled corpus, whose labels the API server checks."""
    from charter.facts import read_facts  # noqa: PLC0415 - the pack's own package

    from tests.policies import pod_security  # noqa: PLC0415 - the corpora are the tests' own
    from tests.policies.cluster_corpus import Sample, ours  # noqa: PLC0415

    facts = read_facts({})
    corpus = pod_security.corpus()
    found = [bool(STANDARD & ours(Sample(each.label, each.document), facts)) for each in corpus]
    bad = [hit for each, hit in zip(corpus, found, strict=True) if not each.good]
    good = [hit for each, hit in zip(corpus, found, strict=True) if each.good]
    yield Figure(
        "L4", ">= 1", rounded(sum(bad) / len(bad)),
        f"share of {len(bad)} bad pods found, in nine kinds that hold pods; labels from the text of Pod Security "
        "Standards, checked by the API server's own admission (tests/policies/test_admission.py)",
    )  # fmt: skip
    yield Figure("L4-alarms", "<= 0", sum(good), f"of {len(good)} good pods found all the same")


def four_doors(state: dict[str, Any], facts: dict[str, Any]) -> Iterable[Figure]:
    """Yield how many findings differ between the doors of one graph, as it is and with faults planted."""
    from tests.policies.doors import BLIND, Graph, replayable  # noqa: PLC0415 - needs engine and stand-in clouds
    from tests.policies.planting import FAULTS, planted  # noqa: PLC0415

    good = replayable(state["deployment"]["resources"])
    differing, told = 0, []
    for label, entries in (("as it is", good), (f"with {len(FAULTS)} planted faults", planted(good))):
        doors = Graph(entries, facts, "bench").run()
        seen = [{each for each in findings if each[0] not in BLIND} for findings in doors.values()]
        first, *others = seen
        differing += len(first.union(*others) - first.intersection(*others))
        told.append(f"{label} {len(seen[0])} findings at each")
    yield Figure(
        "L7", "<= 0", differing,
        f"findings that differ between the pack in the engine, mocks, a saved preview and an exported state, on the "
        f"{len(good)} resources of dev without its dynamic one (whose plan the pools' rules then miss): "
        f"{'; '.join(told)}. {', '.join(BLIND)} is left out: the engine shows no pack which values are secret",
    )  # fmt: skip


def clusters() -> Iterable[Figure]:
    """Yield how many verdicts of the API server and of Gatekeeper differ from ours."""
    from charter.admission.render import WANTED, beyond  # noqa: PLC0415 - the pack's own package
    from charter.facts import read_facts  # noqa: PLC0415

    from tests.policies.cluster_corpus import ours, samples  # noqa: PLC0415
    from tests.policies.cluster_verdicts import Admission, gator  # noqa: PLC0415

    facts, corpus = read_facts({}), samples()
    wanted = [ours(each, facts) for each in corpus]
    with Admission(facts) as admission:
        answers = [admission.ask(each) for each in corpus]
    asked = [(mine, answer.rules) for mine, answer in zip(wanted, answers, strict=True) if answer.status < 400]
    server = sum(mine != theirs for mine, theirs in asked)
    gatekeeper = sum(mine != theirs for mine, theirs in zip(wanted, gator(corpus, facts), strict=True))
    parts = sum(bool(each.beside) for each in WANTED)
    yield Figure(
        "L8", "<= 0", server + gatekeeper,
        f"objects on which a cluster's verdict differs from ours, by {len(WANTED)} rules ({parts} of them in part): "
        f"{server} of {len(asked)} by the API server ({len(corpus) - len(asked)} more cannot exist in one), "
        f"{gatekeeper} of {len(corpus)} by gator; {len(beyond()) - parts} rules that look at Kubernetes objects cannot "
        "stand there; where verdicts may differ and why: docs/policies/clusters.md",
    )  # fmt: skip


def previewed() -> tuple[dict[str, Any], Used]:
    """Preview prod on the engine against the stand-in clouds; return what it says, and what each process used."""
    command = [sys.executable, "-m", "automation", "preview", "prod", "--offline", "--json"]
    done = run(command, PROJECT)
    said: dict[str, Any] = json.loads(done.said or "{}")
    if "policy" not in said:
        raise RuntimeError(f"`{' '.join(command[1:])}` ended with {done.code}: {done.errors[-2000:]}")
    return said, done
