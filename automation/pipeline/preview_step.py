"""The step `preview-environment`: update, remove or sweep the environments of pull requests."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from automation.exits import Ending, Exit

DESK_VARIABLE: Final = "ECOSYSTEM_PREVIEWS"
PAGES: Final = 30


def number_of(environ: Mapping[str, str]) -> int:
    """The pull request's number, as the forge sets it; anything else is wrong input (exit 2)."""
    text = environ.get("PULL_REQUEST") or environ.get("CI_MERGE_REQUEST_IID") or ""
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise Ending(Exit.WRONG_INPUT, "preview", "PULL_REQUEST has to be the number of the pull request")
    return int(text)


def open_numbers(environ: Mapping[str, str]) -> set[int]:
    """The open pull requests: OPEN_PULL_REQUESTS (numbers), else what the forge answers; never guessed (exit 2)."""
    given = environ.get("OPEN_PULL_REQUESTS")
    if given is not None:
        if not re.fullmatch(r"[\d,\s]*", given):
            raise Ending(Exit.WRONG_INPUT, "preview", "OPEN_PULL_REQUESTS is a list of numbers, separated by commas")
        return {int(one) for one in re.findall(r"\d+", given)}
    from automation.pullrequest.comment import Forge  # noqa: PLC0415

    forge = Forge.from_environment({"PULL_REQUEST": "1", **environ})
    found: set[int] = set()
    for page in range(1, PAGES + 1):
        got = forge.call("GET", f"pulls?state=open&per_page=100&page={page}")
        found |= {int(one["number"]) for one in got}
        if len(got) < 100:  # noqa: PLR2004 - a full page
            break
    return found


def preview_environment(options: argparse.Namespace, project: Path, *, real: bool) -> int:
    """Do what `--do` says; refusals (count, budget) exit with 4, and what a crash leaves the next sweep removes."""
    from rich.console import Console  # noqa: PLC0415

    from automation import places  # noqa: PLC0415
    from automation.ledger.hand import actor, ledger_of, now  # noqa: PLC0415
    from automation.pipeline.preview_clouds import EngineClouds  # noqa: PLC0415
    from automation.pipeline.previews import Desk  # noqa: PLC0415
    from automation.pipeline.settings import load  # noqa: PLC0415
    from automation.policy import commit  # noqa: PLC0415
    from automation.session import Options  # noqa: PLC0415

    rules = load(project).previews
    asked = Options(project, offline=not real, real=real)
    clouds = EngineClouds(asked, Console(stderr=True, soft_wrap=True), rules.stack, rules.budget_monthly_usd)
    path = (
        os.environ.get(DESK_VARIABLE) or places.of(project, "-", "-", os.environ).folder.parents[1] / "previews.sqlite"
    )
    desk = Desk(Path(path), clouds, rules)
    at, who = now(), actor(project, os.environ)
    refusals, removed = [], list[str]()
    if options.do == "update":
        refusals = desk.push(number_of(os.environ), who, commit(project), at)
    elif options.do == "remove":
        desk.close(number_of(os.environ))
    elif options.do == "sweep":
        removed = desk.sweep(open_numbers(os.environ), at)
    else:
        raise Ending(Exit.WRONG_INPUT, "option", "--do: give update, remove or sweep")
    left = [
        {"name": one.name, "owner": one.owner, "state": one.state, "expires": one.expires.isoformat()}
        for one in desk.all()
    ]
    sys.stdout.write(json.dumps({"previews": left, "removed": removed}) + "\n")
    outcome = "refused" if refusals else "ok"
    ledger_of(project, os.environ).append(
        now(), f"preview-{options.do}", who=who, commit=commit(project), outcome=outcome, removed=removed
    )
    if refusals:
        raise Ending(Exit.REFUSED, refusals[0].code, refusals[0].sentence)
    return Exit.OK
