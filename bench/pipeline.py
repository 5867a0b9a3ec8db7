"""Measure the delivery, print a table and write `bench/pipeline.json`: `python -m bench.pipeline [--only ledger]`.

Nothing here fails by the clock: a missed goal is printed and recorded. Times are the least of the runs in process CPU.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

from bench.figure import Figure, rounded
from bench.latest import arguments, asked, publish, taken
from bench.program import HERE, PROJECT

PIPELINE: Final = HERE / "pipeline.json"
NOW: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ENTRIES: Final = 100_000
SEQUENCES: Final = 500
PLANTED: Final = 8
RUNS: Final = 3


def _least(work: Callable[[], object]) -> float:
    """CPU seconds of the quickest of three runs."""
    seconds = []
    for _ in range(RUNS):
        began = time.process_time()
        work()
        seconds.append(time.process_time() - began)
    return min(seconds)


@contextmanager
def _memory() -> Iterator[Path]:
    """A folder in memory where the machine has one."""
    parent = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=parent if os.access(parent, os.W_OK) else None) as name:
        yield Path(name)


def changes(count: int) -> dict[str, Any]:
    """A report with that many changed resources, each with differing properties, findings and dependants."""
    changed: list[dict[str, Any]] = []
    for number in range(count):
        name = f"aws-eu-west-1-part-{number:05}"
        urn = f"urn:pulumi:prod::cloud-ecosystem::ecosystem:aws:Network$aws:ec2/subnet:Subnet::{name}"
        op = ("update", "update", "update", "replace", "delete")[number % 5]
        values = [{"path": f"tags.key{key}", "before": f"old-{number}", "after": f"new-{number}"} for key in range(4)]
        changed.append(
            {
                "op": op, "urn": urn, "type": "aws:ec2/subnet:Subnet", "paths": [one["path"] for one in values],
                "values": values, "stateful": number % 50 == 4,
            }
        )  # fmt: skip
    findings = [
        {"rule": "CH-01", "level": "advisory", "urn": row["urn"], "path": "tags", "message": "a tag is missing"}
        for row in changed[::10]
    ]
    return {
        "stack": "prod", "mode": "offline", "header": "OFFLINE", "notes": [], "preview_steps": {"update": count},
        "changes": [{"cloud": "aws", "component": "Network", "op": "update", "count": count}], "changed": changed,
        "policy": {
            "judged": True, "mandatory": 0, "advisory": len(findings), "remediated": 0, "undetermined": 0,
            "evaluated": 9 * count, "findings": findings, "undetermined_list": [],
        },
        "cost_monthly_usd": {"before": 1.0, "after": 2.0, "by_cloud": {"aws": 2.0}, "unpriced": [], "by_use": []},
        "refused": 0, "refusals": [], "sizing": [], "sizing_before": [], "versions": {},
        "blast_radius": [{"name": row["urn"], "count": 3, "names": "a, b, c"} for row in changed],
    }  # fmt: skip


def report() -> Iterable[Figure]:
    """Rendering of the pull-request report."""
    from automation.pullrequest import markdown, model, web  # noqa: PLC0415

    def render(made: dict[str, Any]) -> int:
        pages = model.pages([made])
        json.dumps(made)
        return len(markdown.render(pages)) * bool(web.render(pages))

    small, large = changes(1000), changes(3000)
    seconds, more = _least(lambda: render(small)), _least(lambda: render(large))
    how = f"Markdown, HTML and JSON, CPU seconds, least of {RUNS}"
    return [
        Figure("D1", "< 1", rounded(seconds), f"report of 1,000 changes: {how}"),
        Figure("D1-growth", "<= 3.3", rounded(more / seconds), f"3,000 changes ({more:.2f} s) against 1,000: {how}"),
        Figure("D1-comment", "<= 65536", render(large), "characters of the comment for 3,000 changes"),
    ]


def ledger() -> Iterable[Figure]:
    """Verification of a long ledger."""
    from automation.ledger.store import Ledger  # noqa: PLC0415
    from automation.ledger.verify import verify  # noqa: PLC0415
    from automation.signing import keys  # noqa: PLC0415
    from automation.signing.trust import Signers  # noqa: PLC0415

    own = keys.generate("ledger", NOW - timedelta(days=1), roles=("ledger",))
    signers = Signers({own.public.key_id: own.public})
    with _memory() as folder:
        made = Ledger(folder / "ledger.sqlite", folder / "anchor.jsonl")
        facts = {"action": "up", "stack": "prod", "commit": "c" * 40, "plan": "d" * 64, "outcome": "ok"}
        for begin in range(0, ENTRIES, 5000):
            made.append_all(
                (NOW + timedelta(seconds=begin + at), {**facts, "who": f"person-{at % 7}"}) for at in range(5000)
            )
            made.checkpoint(own, NOW + timedelta(seconds=begin))
        began = time.perf_counter()
        verdict = verify(made, signers)
        seconds = time.perf_counter() - began
    assert verdict.ok, verdict.problems
    assert verdict.entries == ENTRIES
    how = f"wall seconds for {verdict.entries:,} entries and {verdict.checkpoints} signed checkpoints"
    return [Figure("D2", "< 10", rounded(seconds), how)]


def plans() -> Iterable[Figure]:
    """Verification of a signed plan, and tampering with each of its fields."""
    from automation.signing import canonical, contract, keys, trust  # noqa: PLC0415
    from automation.signing.envelope import Signed  # noqa: PLC0415

    ada, grace = (keys.generate(name, NOW - timedelta(days=1)) for name in ("ada", "grace"))
    signers = trust.Signers({one.public.key_id: one.public for one in (ada, grace)})
    standing: dict[str, Any] = {name: f"{name}-0" for name in contract.STANDING}
    seen: dict[str, Any] = {name: f"{name}-0" for name in contract.SEEN}
    seen["steps"] = [[f"urn:pulumi:prod::p::t::part-{n:05}", "update", "0" * 16] for n in range(3000)]
    signed = contract.make({**standing, **seen, "break_glass": None}, "ada", NOW)
    signed = signed.signed_by(ada, "author", NOW).signed_by(grace, "approver", NOW)

    def refusals(one: Signed) -> list[Any]:
        return [*contract.before(one, signers, standing, NOW, approvals=1), *contract.after(one, seen)]

    assert refusals(signed) == []
    seconds = _least(lambda: refusals(contract.checked(signed)))
    unnoticed = []
    for name in sorted(signed.payload):
        payload = copy.deepcopy(dict(signed.payload))
        payload[name] = payload[name][:-1] if isinstance(payload[name], list) else f"{payload[name]}x"
        if not refusals(Signed(signed.payload_type, payload, signed.signatures)):
            unnoticed.append(name)
    size = len(canonical.dumps(signed.payload))
    return [
        Figure("D3", "< 1", rounded(seconds), f"CPU seconds: a plan of 3,000 steps ({size:,} bytes), two signers"),
        Figure("D3-tamper", "= 0", len(unnoticed), f"of {len(signed.payload)} fields, tampering that goes unnoticed"),
    ]


def previews() -> Iterable[Figure]:
    """Environments of pull requests: what is left over."""
    from bench.previews import leftovers  # noqa: PLC0415

    with _memory() as folder:
        left = leftovers(range(SEQUENCES), folder)
    how = f"of {SEQUENCES} random sequences of open, push, close, sweep and crash: those that leave anything"
    return [Figure("D4", "= 0", len(left), how)]


def guard() -> Iterable[Figure]:
    """The eight planted failures, really failing, before the guard."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "junit.xml"
        chosen = " or ".join(f"test_{number}_" for number in range(1, PLANTED + 1))
        file = "tests/automation/guard/test_planted.py"
        words = [sys.executable, "-m", "pytest", "-q", file, "-k", chosen, f"--junitxml={out}"]
        subprocess.run(words, cwd=PROJECT, check=False, capture_output=True)
        cases = list(ET.parse(out).iter("testcase"))
    good = [case for case in cases if not len(case)]
    how = f"of {PLANTED} planted failures: classified, and healed, proposed, rolled back or escalated as they should be"
    return [Figure("D5", f"= {PLANTED}", len(good), how)]


MEASURES: Final = {"report": report, "ledger": ledger, "plans": plans, "previews": previews, "guard": guard}


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__, PIPELINE)
    chosen = parser.parse_args()
    publish([one for name in asked(parser, chosen.only, MEASURES) for one in taken(name, MEASURES[name])], chosen)


if __name__ == "__main__":
    main()
