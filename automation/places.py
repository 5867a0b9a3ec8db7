"""Where the state of offline runs lives, and where a run keeps its notes: never in the project's folder."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STATE_VARIABLE: Final = "ECOSYSTEM_STATE"
DEBUG: Final = "ECOSYSTEM_DEBUG"
NO_LOGS: Final = f"""The engine would make a folder of this name for its logs, finds this file, and keeps none: for each
run a log of all that it sends and gets, in a place where no cloud is real (Pulumi 3.259, pkg/logging StartLogging).
A run with {DEBUG}=1 takes this file away and keeps a log, for `pulumi logs`; the next run without it drops the log.
"""


@dataclass(frozen=True)
class Place:
    """One stack's folder outside the project."""

    folder: Path

    @property
    def backend(self) -> Path:
        """Directory of the offline file backend."""
        return self.folder / "backend"

    @property
    def home(self) -> Path:
        """The engine's own home (PULUMI_HOME)."""
        return self.folder / "home"

    @property
    def clouds(self) -> Path:
        """Directory of the stand-in clouds; their database is `clouds.sqlite` in it."""
        return self.folder / "clouds"

    @property
    def database(self) -> Path:
        return self.clouds / "clouds.sqlite"

    @property
    def notes(self) -> Path:
        """The intent journal of runs on this stack."""
        return self.folder / "journal.jsonl"

    @property
    def faults(self) -> Path:
        """The fault plan that offline runs meet, where one was set."""
        return self.folder / "faults.yaml"

    @property
    def passphrase_file(self) -> Path:
        return self.folder / "passphrase"

    @property
    def logs(self) -> Path:
        """Where the engine keeps a log of each run; a file with the reason where it shall not."""
        return self.home / "logs"

    def prepare(self, *, logs: bool = False) -> Place:
        """Make the folders and the passphrase (0600); what exists stays, but for the engine's logs unless asked for."""
        for path in (self.backend, self.home, self.clouds):
            path.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if not self.passphrase_file.exists():
            handle = os.open(self.passphrase_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(secrets.token_urlsafe(32))
        if logs and self.logs.is_file():
            self.logs.unlink()
        elif not logs and not self.logs.is_file():
            shutil.rmtree(self.logs, ignore_errors=True)
            self.logs.write_text(NO_LOGS, encoding="utf-8")
        return self

    def passphrase(self) -> str:
        return self.passphrase_file.read_text(encoding="utf-8").strip()


def root(environ: Mapping[str, str]) -> Path:
    """The user's state directory of this project; ECOSYSTEM_STATE overrides it."""
    if environ.get(STATE_VARIABLE):
        return Path(environ[STATE_VARIABLE]).resolve()
    import platformdirs  # noqa: PLC0415 - not needed by a run that stops at a wrong stack file

    return Path(platformdirs.user_state_dir("cloud-ecosystem"))


def of(project: Path, stack: str, mode: str, environ: Mapping[str, str]) -> Place:
    """The place of one stack of one checkout; real runs keep only their journal there."""
    checkout = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:8]
    return Place(root(environ) / f"{project.resolve().name}-{checkout}" / mode / stack)


@contextmanager
def temporary() -> Iterator[Place]:
    """A fresh place that is gone afterwards, in memory where there is some: the backend rewrites its file often."""
    shared_memory = Path("/dev/shm")  # noqa: S108 - only as the parent of a private temporary directory
    parent = shared_memory if os.access(shared_memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="ecosystem-", dir=parent))
    try:
        yield Place(folder).prepare()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
