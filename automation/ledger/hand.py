"""The hand that writes: where the ledger of a checkout is, who acts, and one entry for each thing done."""

from __future__ import annotations

import getpass
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from automation import places
from automation.exits import Ending, Exit
from automation.ledger.store import Ledger

if TYPE_CHECKING:
    from automation.session import Session

LEDGER_VARIABLE: Final = "ECOSYSTEM_LEDGER"
ANCHOR_VARIABLE: Final = "ECOSYSTEM_ANCHOR"
ACTORS: Final = ("ECOSYSTEM_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN")


def now() -> datetime:
    """The clock of this machine, in UTC."""
    return datetime.now(UTC)


def ledger_of(project: Path, environ: Mapping[str, str]) -> Ledger:
    """The ledger of a checkout: a file, or the team's PostgreSQL where ECOSYSTEM_LEDGER is its address.

    The anchor lies elsewhere, by default in another folder, better on another machine.
    """
    folder = places.of(project, "-", "-", environ).folder.parents[1]
    anchor = Path(environ.get(ANCHOR_VARIABLE) or places.root(environ) / "anchors" / f"{folder.name}.jsonl")
    given = environ.get(LEDGER_VARIABLE, "")
    if given.startswith(("postgresql://", "postgres://")):
        from automation.ledger.postgres import PostgresLedger  # noqa: PLC0415 - its driver loads only then

        return PostgresLedger(given, folder, anchor)
    return Ledger(Path(given or folder / "ledger.sqlite"), anchor)


def actor(project: Path, environ: Mapping[str, str]) -> str:
    """Who acts: the forge's word, else git's address of the user, else the login."""
    for name in ACTORS:
        if environ.get(name):
            return environ[name]
    try:
        asked = subprocess.run(
            ["git", "config", "user.email"],  # noqa: S607 - git of the user's PATH
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode == 0 and asked.stdout.strip():
            return asked.stdout.strip()
    except OSError:
        pass
    return getpass.getuser()


@contextmanager
def recorded(session: Session, action: str, project: Path | None = None) -> Iterator[dict[str, Any]]:
    """Write one entry when the block ends, however it ends; the block adds facts to the dictionary it gets.

    `outcome` is ok, refused or failed; a break-glass reason is written before anything happens. `project` is the
    checkout whose ledger it is, when the session works in another one (an earlier commit).
    """
    from automation.policy import commit  # noqa: PLC0415

    ledger = ledger_of(project or session.options.project, os.environ)
    project = session.options.project
    facts: dict[str, Any] = {
        "who": actor(project, os.environ),
        "stack": session.name,
        "mode": session.mode.name,
        "commit": commit(project),
    }
    if session.options.break_glass:
        facts["break_glass"] = {"label": "break-glass", "reason": session.redactor.text(session.options.break_glass)}
        ledger.append(now(), "break-glass", **facts, intended=action, outcome="begun")
    began = time.monotonic()
    try:
        yield facts
    except BaseException as problem:
        refused = isinstance(problem, Ending) and problem.code in {Exit.REFUSED, Exit.WRONG_INPUT}
        reason = problem.reason if isinstance(problem, Ending) else type(problem).__name__
        facts |= {"outcome": "refused" if refused else "failed", "reason": reason}
        raise
    finally:
        facts.setdefault("outcome", "ok")
        facts["seconds"] = round(time.monotonic() - began, 2)
        ledger.append(now(), action, **facts)
