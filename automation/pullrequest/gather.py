"""Makes the reports that a pull request shows: head against base, both in stand-in clouds, without any credential."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automation import places, runs
from automation.exits import Ending, Exit
from automation.pullrequest import availability, blast, graph, reach, values
from automation.session import Options, Session, opened
from automation.success import demand_success
from automation.workdir import stack_file

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def checkout(project: Path, reference: str) -> Iterator[Path]:
    """The project at another commit, in a folder that is gone afterwards; an unknown commit is wrong input (exit 2)."""
    if reference.startswith("-"):
        raise Ending(Exit.WRONG_INPUT, "base", "--base: a branch, a tag or a commit, not an option")
    with tempfile.TemporaryDirectory(prefix="ecosystem-base-") as name:
        folder = Path(name) / project.resolve().name
        added = subprocess.run(  # noqa: S603 - git of the user's PATH, no shell
            ["git", "worktree", "add", "--detach", "--quiet", "--", str(folder), reference],  # noqa: S607
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        if added.returncode:
            raise Ending(Exit.WRONG_INPUT, "base", f"--base {reference}: {added.stderr.strip()}")
        try:
            yield folder
        finally:
            subprocess.run(  # noqa: S603
                ["git", "worktree", "remove", "--force", str(folder)],  # noqa: S607
                cwd=project,
                capture_output=True,
                check=False,
            )


def offline(stack: str, options: Options, console: Console, base: str | None) -> dict[str, Any]:
    """Preview of the head against what the commit `base` makes in the same clouds; without it against nothing."""
    safe = replace(options, offline=True, real=False)
    with ExitStack() as exits:
        place = exits.enter_context(places.temporary())
        if base is not None:
            folder = exits.enter_context(checkout(options.project, base))
            if (folder / stack_file(options.project, stack).name).is_file():
                with opened(stack, replace(safe, project=folder, policies=False), console, place=place) as session:
                    demand_success(session, runs.apply(session, law=False))
        with opened(stack, safe, console, place=place) as session:
            made = _previewed(session)
            made["notes"] = [*session.notes, f"compared with {base}" if base else "compared with nothing deployed"]
            cleaned: dict[str, Any] = session.redactor.value(made)
    return cleaned


def deployed(stack: str, options: Options, console: Console) -> dict[str, Any]:
    """Preview against the state of the backend in use."""
    with opened(stack, options, console) as session:
        cleaned: dict[str, Any] = session.redactor.value(_previewed(session))
    return cleaned


def _previewed(session: Session) -> dict[str, Any]:
    """A preview and what follows from its graph: values, reachability, availability, blast radius."""
    state = session.engine.export() if session.deployed() else {}
    with tempfile.TemporaryDirectory(prefix="ecosystem-plan-") as folder:
        file = Path(folder) / "engine.json"
        made, outcome = runs.preview(session, None, "--save-plan", str(file))
        plan = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    steps = outcome.collected.steps
    was, now = graph.before(state), graph.after(steps, plan)
    by_step = {(step.urn, step.op): step for step in steps}
    for row in made["changed"]:
        step = by_step[row["urn"], row["op"]]
        row["values"] = values.differences(step.type, step.old, step.new, row["paths"]) if step.new else []
    made["reachable"] = reach.compare(was, now, session.options.project)
    made["availability"] = availability.report(was, now, session.stack.availability_target)
    made["blast_radius"] = blast.rows(was, [row["urn"] for row in made["changed"]])
    return made
