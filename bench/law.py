"""P8: what judging costs, through the pack's own dispatcher and the servicer that the engine talks to."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.proto import analyzer_pb2

from bench.alone import Alone
from bench.figure import Figure, rounded
from bench.program import PROJECT

FEW: Final = 10
MANY: Final = 100
TIMES: Final = 5


def requests(recorded: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Return what the engine would send for each resource."""
    made = []
    for one in recorded:
        properties = json_format.ParseDict(one["inputs"], struct_pb2.Struct())
        urn = f"urn:pulumi:bench::cloud-ecosystem::{one['type']}::{one['name']}"
        made.append(analyzer_pb2.AnalyzeRequest(type=one["type"], name=one["name"], urn=urn, properties=properties))
    return made


def p8(alone: Alone) -> Iterable[Figure]:
    """Yield the cost of 100 rules against 10, and of all rules against the rest of the program."""
    sys.path.insert(0, str(PROJECT / "policies"))
    from charter.judge import Judge  # noqa: PLC0415 - the pack's own package, as the engine starts it
    from charter.pack import Dispatcher, policies  # noqa: PLC0415
    from charter.rule import RULES  # noqa: PLC0415
    from pulumi_policy import EnforcementLevel  # noqa: PLC0415
    from pulumi_policy.policy import _PolicyAnalyzerServicer  # noqa: PLC0415 - no public way in

    run = alone.engine.run(PROJECT, alone.config, record=True).checked()
    sent = requests(run.counted["recorded"])
    single = [rule for rule in RULES.values() if rule.check]

    def cost(judge: Judge) -> float:
        door = _PolicyAnalyzerServicer("bench", "0.1.0", policies(Dispatcher(judge)), EnforcementLevel.ADVISORY)
        start = time.process_time()
        for one in sent:
            door.Analyze(one, None)
        return time.process_time() - start

    def copies(count: int) -> Judge:
        some = (dataclasses.replace(single[n % len(single)], id=f"B-{n:03d}") for n in range(count))
        return Judge({rule.id: rule for rule in some})

    pairs = [(cost(copies(FEW)), cost(copies(MANY)), cost(Judge())) for _ in range(TIMES)]
    few, many, every = (min(pair[side] for pair in pairs) for side in range(3))
    per = 1000 / len(sent)
    yield Figure(
        "P8", "<= 2.0", rounded(many / few),
        f"judging {len(sent)} resources through the servicer: {MANY} rules {many * per:.2f} ms / {FEW} rules "
        f"{few * per:.2f} ms a resource; rules repeated to reach the number; least of {TIMES} runs in turn",
    )  # fmt: skip
    yield Figure(
        "P8-share", "<= 0.15", rounded(every / (every + run.cpu)),
        f"CPU of all {len(single)} resource rules {every:.2f} s / with the program's own {run.cpu:.2f} s",
    )  # fmt: skip
