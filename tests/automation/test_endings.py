"""What nobody foresaw ends with one sentence and a code, and never shows where it stood in the code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from automation.command_line import Output, perform, to_be_written
from automation.exits import Ending, Exit


def _read(path: Path) -> Exit:
    path.read_text(encoding="utf-8")
    return Exit.OK


def _nested() -> Exit:
    json.loads("[" * 100_000)
    return Exit.OK


def _broken() -> Exit:
    raise LookupError("of something")


@pytest.mark.parametrize(
    ("work", "code", "told"),
    [
        (lambda: _read(Path("/no/such/file")), Exit.FAILED, "/no/such/file: No such file or directory"),
        (_nested, Exit.WRONG_INPUT, "nested too deeply"),
        (_broken, Exit.FAILED, "this should not happen: LookupError: of something"),
        (lambda: Exit.DRIFT, Exit.DRIFT, ""),
    ],
)
def test_every_end_is_a_sentence(
    work: Callable[[], Exit], code: Exit, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left:
        perform(Output(as_json=True, stack="dev"), work)
    said = capsys.readouterr()
    assert left.value.exit_code == code
    assert told in " ".join(said.err.split())
    assert "Traceback" not in said.err
    assert not told or json.loads(said.out)["error"]["code"] == code


def test_a_file_that_cannot_be_written_is_told_before(tmp_path: Path) -> None:
    to_be_written("--markdown", None)
    to_be_written("--markdown", tmp_path / "report.md")
    for path, why in ((tmp_path, "is a folder"), (tmp_path / "no" / "report.md", "no is no folder")):
        with pytest.raises(Ending, match=why) as refused:
            to_be_written("--markdown", path)
        assert refused.value.code == Exit.WRONG_INPUT
