"""The files of the forges: what they should say, and where they do not."""

from __future__ import annotations

from pathlib import Path

from automation.pipeline import github, gitlab, pins, ruleset
from automation.pipeline.catalogue import PIPELINES


def texts(project: Path) -> dict[Path, str]:
    """Every file with its text. Ends the run (exit 4) when an action is unresolved."""
    known = pins.load(project)
    made = {
        project / ".github" / "workflows" / f"{name}.yml": github.render(pipeline, known)
        for name, pipeline in PIPELINES.items()
    }
    made[project / ".gitlab-ci.yml"] = gitlab.render(PIPELINES)
    made[project / ruleset.FILE] = ruleset.render(PIPELINES)
    return made


def problems(project: Path) -> list[str]:
    """Files that are missing, were edited by hand, or are not of the definition; actions that are not pinned."""
    wanted = texts(project)
    found = []
    for path, text in wanted.items():
        name = str(path.relative_to(project))
        if not path.is_file():
            found.append(f"{name}: is missing")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{name}: is not what the definition says")
    known = pins.load(project)
    for path in sorted((project / ".github" / "workflows").glob("*.y*ml")):
        name = str(path.relative_to(project))
        if path not in wanted:
            found.append(f"{name}: is of no definition")
        found += pins.problems(path.read_text(encoding="utf-8"), known, name)
    return found
