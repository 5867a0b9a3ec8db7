"""Our reader and the engine's take the same text for the same thing."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from stacks.yaml_core import YamlError, read

MIDNIGHT = "2026-11-21 00:00:00 +0000 UTC"
TABLE: list[tuple[str, Any]] = [
    # text, and what the engine (3.259.0) makes of it
    ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
    ("true", True), ("True", True), ("TRUE", True), ("tRue", "tRue"), ("false", False),
    ("~", None), ("null", None), ("Null", None), ("NULL", None), ("nULL", "nULL"),
    ("2026-11-21", MIDNIGHT), ("2026-1-2", "2026-01-02 00:00:00 +0000 UTC"), ("2026-13-45", "2026-13-45"),
    ("2026-11-21T10:20:30Z", "2026-11-21 10:20:30 +0000 UTC"), ("2026-11-21 10:20:30", "2026-11-21 10:20:30 +0000 UTC"),
    ("2026-11-21T10:20:30.123+02:00", "2026-11-21 10:20:30.123 +0200 +0200"), ("2026-02-30", "2026-02-30"),
    ("2026-11-21 10:20:30 +02:00", "2026-11-21 10:20:30 +02:00"), ("2026-11-21T10:20:30", "2026-11-21T10:20:30"),
    ("12:30", "12:30"), ("1e3", 1000), ("1E5", 100000), ("1e+5", 100000), ("1e-7", 1e-7), ("1e400", "1e400"),
    ("0o10", 8), ("0o8", "0o8"), ("0777", 511), ("089", 89), ("012345678901", 12345678901), ("0", 0), ("-0", 0),
    ("0x1F", 31), ("-0x10", -16), ("0b101", 5), ("0b2", "0b2"), ("1_000", 1000), ("1__0", 10), ("_1", "_1"),
    ("1.30", 1.3), ("1.0", 1), ("0.0", 0), ("1.", 1), (".5", 0.5), ("-.5", -0.5), ("+12", 12), ("0.1e1", 1),
    ("190_000.5", 190000.5), ("1234567.5", 1234567.5), ("123456789012", 123456789012), ("=", "="),
    ('"1e3"', "1e3"), ("'yes'", "yes"), ("10.0.0.0/8", "10.0.0.0/8"), ("1.34.2", "1.34.2"), ("-", None), ("+", "+"),
    ("500m", "500m"), (".", "."), ("1.2.3", "1.2.3"), ("00000000-0000-4000-8000-000000000001",) * 2,
]  # fmt: skip
TABLE = [row for row in TABLE if row[0] != "-"]
STRUCTURE = """config:
  cloud-ecosystem:stack:
    base: &base {p: 1, q: 2}
    alias: *base
    merged: {<<: *base, q: 3}
    listed:
      <<: [{a: 1}, {a: 2, b: 2}]
    1: number
    1.50: float
    true: bool
    2026-01-01: date
    null: nothing
    block: |
      two
      lines
    folded: >-
      one
      line
    tagged: !!str 1
"""


def document() -> str:
    rows = "".join(f"    k{index}: {text}\n" for index, (text, _) in enumerate(TABLE))
    return f"config:\n  cloud-ecosystem:stack:\n{rows}"


def same(left: Any, right: Any) -> bool:
    return left == right and type(left) is type(right)


@pytest.mark.parametrize(("text", "value"), TABLE, ids=[text for text, _ in TABLE])
def test_a_scalar_without_quotes(text: str, value: Any) -> None:
    assert same(read(f"a: {text}").data["a"], value)


@pytest.mark.engine
def test_the_engine_agrees(tmp_path: Path) -> None:
    """Ask the real engine for every row of the table, and for aliases, merges and odd keys."""
    from toolchain.engine import locate  # noqa: PLC0415

    (tmp_path / "Pulumi.yaml").write_text("name: cloud-ecosystem\nruntime: python\n")
    (tmp_path / "state").mkdir()
    environment = {
        **os.environ,
        "PATH": f"{locate()}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def pulumi(*arguments: str) -> str:
        command = ["pulumi", *arguments, "--non-interactive"]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120
        ).stdout

    pulumi("stack", "init", "test")
    for text in (document(), STRUCTURE):
        (tmp_path / "Pulumi.test.yaml").write_text(text)
        engine = json.loads(json.loads(pulumi("config", "--json", "-s", "test"))["cloud-ecosystem:stack"]["value"])
        ours = read(text).data["config"]["cloud-ecosystem:stack"]
        assert {
            key: (engine.get(key), ours.get(key)) for key in engine | ours if not same(engine.get(key), ours.get(key))
        } == {}


def test_structure() -> None:
    data = read(STRUCTURE).data["config"]["cloud-ecosystem:stack"]
    assert data["alias"] == {"p": 1, "q": 2}
    assert data["merged"] == {"p": 1, "q": 3}
    assert data["listed"] == {"a": 1, "b": 2}
    assert {"1", "1.5", "true", "2026-01-01 00:00:00 +0000 UTC", "<nil>"} <= set(data)
    assert data["block"] == "two\nlines\n"


def test_a_bomb_of_aliases_ends() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    with pytest.raises(YamlError, match="aliases blow the file up"):
        read("\n".join(rows))


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 5000,
        "a: " + "[" * 200_000 + "]" * 200_000,
        "a: &x [*x]",
        "a: \x07",
        "\t- a",
        "a: 'b\n",
        "{",
        "? [a]: b: c",
        "%",
    ],
)
def test_broken_text_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(YamlError):
        read(text)


def test_a_key_that_is_no_text_is_listed() -> None:
    assert [problem.what for problem, _ in read("? [a, b]\n: c\n").problems] == ["has a key that is no plain text"]


def test_lines() -> None:
    lines = read("a:\n  - b: 1\n    c: 2\n").lines
    assert (lines["a",], lines["a", 0], lines["a", 0, "c"]) == (1, 2, 3)
