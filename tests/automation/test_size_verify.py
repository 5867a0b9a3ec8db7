"""`size verify` on files that are no evidence: one sentence that says what was found and what to do, exit 2."""

from __future__ import annotations

import contextlib
import copy
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import sizing
from automation.cli import app
from automation.exits import Ending, Exit
from automation.size_verify import HOW, recheck
from sizing import evidence
from sizing.plan import Plan
from sizing.recheck import sealed
from tests.sizing.factory import TINY, problem

RUN = CliRunner()
BAD = (None, True, -1, 0, 3.5, 1e308, 10**30, "", "x", [], {}, [1], {"a": 1}, "2026-13-45", "\ud800", [[]], 2**63)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    asked = problem(types=TINY)
    plan = sizing.solve(asked)
    assert isinstance(plan, Plan)
    made: dict[str, Any] = json.loads(evidence.document({"c": asked}, {"c": plan}))
    return made


FOREIGN: dict[str, tuple[bytes, str]] = {
    "empty": (b" \n", "it is empty"),
    "no JSON": (b"config:\n  a: 1\n", "no JSON: Expecting value at line 1, column 1"),
    "cut off": (b'{"plans": {"c"', "no JSON: "),
    "no text": (b'{"a": "\xff\xfe"}', "no text in UTF-8: byte 7 is 0xff"),
    "no object": (b"[1, 2]", "it holds a list, not an object"),
    "a text": (b'"{}"', "it holds a text"),
    "other keys": (b'{"b": 1, "a": 2}', "its keys are a, b; evidence has `format`"),
    "no keys": (b"{}", "its keys are none"),
    "an error": (b'{"error": {"code": 4}}', "it looks like what a command prints with --json when it fails"),
    "a state": (b'{"version": 3, "deployment": {}}', "it looks like an export of a state"),
    "pods": (b'{"apiVersion": "v1", "kind": "List", "items": []}', "an object of Kubernetes"),
    "rounds": (b'{"stack": "a", "rounds": [], "summary": {}}', "verify reads a run without --rounds"),
    "NaN": (b'{"plans": NaN}', "NaN stands in it, which is no number in JSON"),
    "infinite": (b'{"plans": 1e999}', "the number 1e999 is too large"),
    "many digits": (b'{"plans": 1' + b"0" * 5000 + b"}", "a number in it cannot be read"),
    "deep": (b'{"plans": ' + b"[" * 100_000, "nested too deeply"),
    "twice": (b'{"plans": {}, "plans": {}}', "an object in it has the key `plans` twice"),
    "lists": (b'{"clusters": [1]}', "clusters is a list of 1, expected an object"),
    "newer": (b'{"format": 2, "plans": {}}', "its format is 2, this version reads format 1"),
    "bare": (b'{"clusters": {"a": {"plan": {}, "assignment": {}}}}', "clusters.a lacks `problem`"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_evidence_is_told_in_one_sentence(name: str, tmp_path: Path) -> None:
    content, says = FOREIGN[name]
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(Ending) as ended:
        recheck(path)
    assert ended.value.code == Exit.WRONG_INPUT
    said = str(ended.value)
    assert says in said
    assert "\n" not in said
    assert HOW in said or "with the version of cloud-ecosystem that wrote it" in said
    assert len(said) < 600


def test_no_file_and_a_folder_end_with_two(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "none.json", "No such file"), (tmp_path, "Is a directory")):
        done = RUN.invoke(app, ["size", "verify", str(path)])
        assert done.exit_code == 2
        assert says in done.output


PLAN, ASKED = ("plans", "c"), ("problems", "c")
DEEP: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "a word for a number": ((*ASKED, "zones"), "three", 'problems.c.zones is "three", expected a whole number'),
    "too many pods": ((*ASKED, "workloads", 0, "replicas"), 10**12, "expected at most 1,000,000"),
    "a negative request": ((*ASKED, "workloads", 0, "cpu_milli"), -5, "is -5, expected at least 0"),
    "no such spread": ((*ASKED, "workloads", 0, "spread"), "rack", 'is "rack", expected one of none, zone, host'),
    "no date": ((*ASKED, "offered", "sources", 0), "list@2026", "expected the form"),
    "a list for pods": ((*PLAN, "assignment", "general-0", 0, "pods"), [], "general-0[0].pods is a list of 0"),
    "a huge circuit": ((*PLAN, "quantum", "runs", 0, "qubits"), 40, "expected at most 24"),
    "no proof": ((*PLAN, "notes", "bounds", "system", "by_method"), {}, "has 0 entries, expected at least 1"),
    "null for a cost": ((*PLAN, "cost_usd_month"), None, "plans.c.cost_usd_month is null, expected a number"),
    "a foreign key": ((*PLAN, "pools", 0, "colour"), "red", "has the key `colour`"),
    "a date that is none": ((*ASKED, "as_of"), "2026-13-45", "its parts do not fit together"),
}


def put(made: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    wrong = copy.deepcopy(made)
    inner: Any = wrong
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return wrong


@pytest.mark.parametrize("name", DEEP)
def test_a_wrong_value_deep_inside_is_named_with_its_place(name: str, document: dict[str, Any], tmp_path: Path) -> None:
    where, value, says = DEEP[name]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(put(document, where, value)))
    done = RUN.invoke(app, ["size", "verify", str(path), "--json"])
    assert done.exit_code == 2
    told = json.loads(done.stdout)["error"]
    assert (told["code"], told["reason"]) == (2, "evidence")
    assert says in told["sentence"]


def places(made: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = made.items() if isinstance(made, dict) else enumerate(made) if isinstance(made, list) else ()
    for key, value in inside:
        yield (*path, key)
        yield from places(value, (*path, key))


def judged(path: Path) -> tuple[Exit, bool]:
    """The exit code of a refusal, and whether there was a verdict."""
    try:
        findings, proofs = recheck(path)
    except Ending as ending:
        return ending.code, False
    return Exit.OK, bool(findings) != bool(proofs)


def test_whatever_is_broken_ends_in_a_verdict_or_with_two(document: dict[str, Any], tmp_path: Path) -> None:
    """Any place removed, added to or replaced, sealed anew: no other exception, whatever it is."""
    drawn, path, every = random.Random(11), tmp_path / "x.json", list(places(document))
    changes: tuple[Callable[[Any, Any], None], ...] = (
        lambda inner, key: inner.pop(key),
        lambda inner, key: inner.append(inner[key]) if isinstance(inner, list) else inner.update(more=inner[key]),
        lambda inner, key: inner.__setitem__(key, drawn.choice(BAD)),
    )
    ended = {"verdict": 0, "refused": 0}
    for where in drawn.sample(every, 90):
        wrong = copy.deepcopy(document)
        inner: Any = wrong
        for key in where[:-1]:
            inner = inner[key]
        drawn.choice(changes)(inner, where[-1])
        with contextlib.suppress(UnicodeEncodeError):
            wrong["sha256"] = sealed(wrong)
        path.write_text(json.dumps(wrong))
        code, verdict = judged(path)
        assert code == Exit.WRONG_INPUT or verdict, where
        ended["verdict" if verdict else "refused"] += 1
    assert min(ended.values()) >= 10


def test_evidence_in_another_encoding_is_read(document: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document), encoding="utf-16")
    assert recheck(path)[0] == []
