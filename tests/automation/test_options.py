"""The shared options reach a command as one value, and typer reads them as if they stood in its own list."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner

from automation.options import Run, on_a_stack

SEEN: list[tuple[Run, str, int]] = []
app = typer.Typer()


@app.command()
@on_a_stack
def act(run: Run, word: str = typer.Option(...), count: int = 1) -> None:
    """Do it."""
    SEEN.append((run, word, count))


def test_shared_and_own_options(tmp_path: Path) -> None:
    SEEN.clear()
    words = [
        "dev",
        "--word",
        "x",
        "--offline",
        "--json",
        "--parallel",
        "3",
        "--break-glass",
        "fire",
        "--project",
        str(tmp_path),
    ]
    ran = CliRunner().invoke(app, [*words, "--project", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    ((run, word, count),) = SEEN
    assert (run.stack, word, count) == ("dev", "x", 1)
    assert (run.options.offline, run.options.real, run.as_json) == (True, False, True)
    assert (run.options.parallel, run.options.break_glass, run.project) == (3, "fire", tmp_path)
    assert run.output().stack == "dev"


def test_what_is_wrong_is_said() -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["dev"]).exit_code == 2
    assert runner.invoke(app, ["--word", "x"]).exit_code == 2
    assert runner.invoke(app, ["dev", "--word", "x", "--parallel", "0"]).exit_code == 2
    assert runner.invoke(app, ["dev", "--word", "x", "--nothing"]).exit_code == 2
