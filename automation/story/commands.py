"""`story`: a change from its branch to a verified deployment, and four that must not get there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Project
from automation.session import PROJECT

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="reports and plans; what is there goes")]
Good = Annotated[Path | None, typer.Option("--good", metavar="FILE", help="metric series of the good build")]
Bad = Annotated[Path | None, typer.Option("--bad", metavar="FILE", help="metric series of the bad build")]


@app.command()
def story(out: Out = Path("build/story"), good: Good = None, bad: Bad = None, project: Project = PROJECT) -> None:
    """Tell the story of a change in a scratch repository, offline. Exits 1 when a chapter ends otherwise."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.story.chapters import SERIES, tell  # noqa: PLC0415

        series = {"good": good or SERIES / "good.json", "bad": bad or SERIES / "bad.json"}
        for path in series.values():
            if not path.is_file():
                raise Ending(Exit.WRONG_INPUT, "series", f"{path}: no such file; give a metric series as JSON")
        folder = out if out.is_absolute() else project / out
        if folder.exists() and any(folder.iterdir()) and not (folder / "story.json").exists():
            raise Ending(Exit.WRONG_INPUT, "out", f"--out {out} holds something else than a story: give another folder")
        series = {name: path.resolve() for name, path in series.items()}
        told = tell(project, folder, series, lambda line: output.err.print(line, markup=False, highlight=False))
        otherwise = [one.title for one in told if not one.good]
        output.err.print(f"{len(told)} chapters, {len(otherwise)} ended otherwise; left in {folder}", highlight=False)
        return Exit.FAILED if otherwise else Exit.OK

    perform(output, work)
