"""The real engine reads the file, our program judges it: same report, and nothing but the root stack registered."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.load import read_file
from tests.stacks.corpus import FILES, PROJECT, report
from tests.stacks.engine import Engine

pytestmark = pytest.mark.engine
WRONG = ("many-at-once", "secret-password-key", "type-account-leading-zero")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("engine"))


@pytest.mark.parametrize("name", WRONG)
def test_plain_pulumi_ends_with_the_same_report(engine: Engine, name: str) -> None:
    engine.describe((FILES / f"error.{name}.yaml").read_text(encoding="utf-8"))
    error = report(lambda: read_file(engine.folder / "Pulumi.test.yaml"))
    output = engine.run("preview", "-s", "test", code=1)
    assert error is not None
    lines = [line.strip() for line in output.splitlines()]
    assert f"error: {str(error).splitlines()[0]}" in lines
    assert not [line for line in str(error).splitlines()[1:] if line.strip() not in lines]
    assert "Traceback" not in output
    assert "hunter2" not in output
    assert "correct-horse" not in output
    assert "+ 1 to create" in output, "the root stack and nothing else"


@pytest.mark.parametrize(
    "path", [PROJECT / "Pulumi.prod.yaml", FILES / "happy.unquoted-date.yaml"], ids=lambda p: p.name
)
def test_both_doors_lead_to_the_same_stack(engine: Engine, path: Path) -> None:
    engine.describe(path.read_text(encoding="utf-8"))
    output = engine.run("preview", "-s", "test", "--diff")
    assert read_file(path).model_dump_json() in output


def test_an_engine_that_is_too_old_is_refused_by_the_project() -> None:
    assert 'requiredPulumiVersion: ">=3.259.0"' in (PROJECT / "Pulumi.yaml").read_text()
