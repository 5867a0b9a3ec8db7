"""A canary in the configuration is seen by nobody: state, logs, reports, diffs, errors, in any spelling."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from automation.session import locate_engine
from sandbox.server import Sandbox
from tests.engine.conftest import Hands

pytestmark = pytest.mark.engine

CANARY = 'ca"n<ary&-7f3k\\9'
PASSPHRASE = "passphrase-of-the-test"


@pytest.fixture
def real(tmp_path: Path, tiny_project: Path, _brought_up: Path) -> Hands:
    """A run in real mode: a file backend and a passphrase of one's own, the stand-in clouds attached by hand."""
    with Sandbox(tmp_path / "clouds") as sandbox:
        hands = Hands(tmp_path / "state", tiny_project)
        (tmp_path / "backend").mkdir()
        hands.env = {
            **sandbox.environment,
            "PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}",
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        }
        _pulumi(hands, "stack", "init", "small")
        _pulumi(hands, "config", "set", "--secret", "cloud-ecosystem:token", CANARY)
        yield hands


def _pulumi(hands: Hands, *words: str) -> None:
    engine, _ = locate_engine()
    env = {**hands._environment({}), "PATH": f"{engine}:{os.environ['PATH']}"}
    subprocess.run(["pulumi", "--non-interactive", *words], cwd=hands.project, env=env, check=True, capture_output=True)


def _spellings() -> list[str]:
    raw = CANARY.encode()
    go = json.dumps(CANARY)[1:-1].replace("<", "\\u003c").replace("&", "\\u0026")
    return [CANARY, json.dumps(CANARY)[1:-1], go, base64.b64encode(raw).decode(), PASSPHRASE]


def _clean(text: str, where: str) -> None:
    for spelling in _spellings():
        assert spelling not in text, f"{spelling!r} in {where}"


@pytest.mark.parametrize("how", ["yes", "raise"])
def test_the_canary_is_nowhere(real: Hands, tmp_path: Path, how: str) -> None:
    env = {"ECOSYSTEM_TINY_SECRET": how}
    code = 0 if how == "yes" else 1
    markdown = tmp_path / "report.md"
    for words in (
        ("preview", "--real", "--json"), ("preview", "--real"), ("preview", "--real", "--markdown", str(markdown)),
        ("up", "--real", "--json"), ("up", "--real"),
    ):  # fmt: skip
        ran = real.run(*words, **env)
        assert ran.returncode == code, ran.stdout + ran.stderr
        _clean(ran.stdout, f"stdout of {words}")
        _clean(ran.stderr, f"stderr of {words}")
    if how == "yes":
        _clean(markdown.read_text(), "the Markdown report")
        ran = real.run("outputs", "--real")
        _clean(ran.stdout + ran.stderr, "outputs")
    else:
        assert "cannot use [secret]" in ran.stdout + ran.stderr, "the error is told, the value is not"
    kept = [*real.state.rglob("*"), *(tmp_path / "backend").rglob("*"), *(tmp_path / "home").rglob("*")]
    for path in kept:
        if path.is_file():
            _clean(path.read_bytes().decode(errors="replace"), str(path))


def test_a_wrong_passphrase_is_refused_without_a_write(real: Hands, tmp_path: Path) -> None:
    real.json("up", "--real", ECOSYSTEM_TINY_SECRET="yes")
    state = next((tmp_path / "backend").rglob("small.json"))
    before = state.read_bytes()
    made = real.json("up", "--real", code=4, PULUMI_CONFIG_PASSPHRASE="another-passphrase", ECOSYSTEM_TINY_GROUPS="1")
    assert made["error"]["reason"] == "passphrase"
    assert state.read_bytes() == before


def test_a_missing_stack_is_not_made_silently(real: Hands) -> None:
    shutil.copyfile(real.project / "Pulumi.small.yaml", real.project / "Pulumi.other.yaml")
    real.stack = "other"
    made = real.json("preview", "--real", code=2)
    assert "pulumi stack init other" in made["error"]["sentence"]
    assert made["stack"] == "other"
