"""The shared options reach a command as one value, and typer reads them as if they stood in its own list."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from automation import cli
from automation import demand as demanded
from automation import rehearse as rehearsal
from automation.exits import Ending, Exit
from automation.options import Run, on_a_stack
from automation.session import Options

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


@pytest.mark.parametrize("words", [["preview"], ["up"], ["demand", "--file", "x.csv"], ["rehearse"]])
@pytest.mark.parametrize("anew", [True, False])
def test_what_sizes_pools_can_be_told_to_use_no_plan_made_before(
    words: list[str],
    anew: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Options] = []

    def asked(_stack: str, options: Options, *_: object) -> None:
        seen.append(options)
        raise Ending(Exit.WRONG_INPUT, "seen", "enough")

    for place, name in ((cli, "opened"), (demanded, "against_deployed"), (rehearsal, "rehearse")):
        monkeypatch.setattr(place, name, asked)
    CliRunner().invoke(cli.app, [words[0], "dev", *words[1:], *(["--solve-anew"] if anew else [])])
    assert [options.anew for options in seen] == [anew]
