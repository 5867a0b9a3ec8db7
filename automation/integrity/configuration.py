"""One configuration file, judged by its kind."""

from __future__ import annotations

import re
from pathlib import Path

from automation.exits import Ending, Exit
from automation.integrity import secrets
from automation.integrity.findings import Findings


def judge(file: Path, project: Path) -> Findings:
    """Judge a stack file or a file of config/ by its name; another name ends with exit 2."""
    if not file.is_file():
        raise Ending(Exit.WRONG_INPUT, "file", f"{file} does not exist: give a stack file or a file of config/")
    if re.fullmatch(r"Pulumi\.[\w-]+\.yaml", file.name):
        return _stack(file)
    if file.name == "credentials.yaml":
        return secrets.credentials(file)
    if file.name == "delivery.yaml":
        return _delivery(file)
    if file.name == "drift.yaml":
        return _drift(file)
    if file.name == "signers.json":
        return _signers(file)
    if file.name == "actions.lock.json":
        return _actions(project)
    raise Ending(
        Exit.WRONG_INPUT,
        "file",
        f"{file.name} is of no known kind: Pulumi.NAME.yaml, credentials.yaml, delivery.yaml, drift.yaml, "
        "signers.json, actions.lock.json",
    )


def _stack(file: Path) -> Findings:
    from stacks.load import StackFileError, read_file  # noqa: PLC0415

    found = Findings(checked=[file.name])
    try:
        read_file(file)
    except StackFileError as error:
        found.problems += str(error).splitlines()
    return found


def _delivery(file: Path) -> Findings:
    from automation.pipeline import settings  # noqa: PLC0415

    found = Findings(checked=[file.name])
    try:
        settings.load(file.resolve().parents[1])
    except Ending as ending:
        found.problems.append(str(ending))
    return found


def _drift(file: Path) -> Findings:
    from automation.answers import ignored  # noqa: PLC0415

    found = Findings(checked=[file.name])
    try:
        known = ignored.load(file.resolve().parents[1])
    except Ending as ending:
        found.problems.append(str(ending))
        return found
    day = ignored.today()
    found.problems += [
        f"{one.urn} {one.path}: its time was over at {one.until}: answer it" for one in known if one.until <= day
    ]
    return found


def _signers(file: Path) -> Findings:
    from automation.signing import trust  # noqa: PLC0415

    found = Findings(checked=[file.name])
    try:
        trust.load(file)
    except Ending as ending:
        found.problems.append(str(ending))
    return found


def _actions(project: Path) -> Findings:
    from automation.pipeline import pins  # noqa: PLC0415

    found = Findings(checked=["actions.lock.json"])
    for pin in pins.load(project).values():
        try:
            _ = pin.uses
        except Ending as ending:
            found.problems.append(str(ending))
        if pin.state == "seen":
            found.unchecked.append(f"{pin.action} {pin.version}: the forge was not asked for its commit")
    return found
