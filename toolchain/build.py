"""Builds a set of programs once, into a folder named after the hash of what they are made from.

Standard library only: it runs before any virtual environment exists.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
STORE = PROJECT / ".toolchain"
GO_NEEDED = (1, 26)
HEARTBEAT_SECONDS = 10
KEPT_BUILDS = 3


class BuildError(Exception):
    """A build that failed; the text says where."""


class ToolMissingError(BuildError):
    """A build that cannot start; the text says what to install."""


def exit_code(error: BuildError) -> int:
    """Return 2 for what the user has to install first, 1 for a build that failed."""
    return 2 if isinstance(error, ToolMissingError) else 1


def say(text: str) -> None:
    """Print one line of progress on standard error."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is a command line tool


def content_hash(paths: Iterable[Path], *facts: str) -> str:
    """Hash names and contents of files, and any further facts, to 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for fact in (*facts, platform.system(), platform.machine()):
        digest.update(fact.encode() + b"\0")
    for path in sorted(paths):
        body = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT)}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()[:16]


def require_go() -> None:
    """Check that Go is there and new enough; raises `ToolMissingError` with what to do."""
    wanted = ".".join(map(str, GO_NEEDED))
    go = shutil.which("go")
    if go is None:
        raise ToolMissingError(
            f"Go is not on PATH: install Go {wanted} or newer (https://go.dev/dl/) and run this again."
        )
    asked = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=go_environment())
    found = re.match(r"go(\d+)\.(\d+)", asked.stdout.strip())
    if found is None or (int(found[1]), int(found[2])) < GO_NEEDED:
        version = asked.stdout.strip() or asked.stderr.strip() or "nothing"
        raise ToolMissingError(
            f"{go} is {version}: install Go {wanted} or newer (https://go.dev/dl/), put it first on PATH, run this"
        )


def go_environment() -> dict[str, str]:
    """Return the environment of every Go command: no C compiler, no download of another Go, no stray flags."""
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}


def gently(command: Sequence[str]) -> list[str]:
    """Give way to everybody else on the machine."""
    nice = shutil.which("nice")
    return [nice, "-n", "10", *command] if nice else list(command)


@contextlib.contextmanager
def phase(name: str) -> Iterator[None]:
    """Announce a phase, tell the elapsed seconds while it lasts, and its end."""
    start, over = time.monotonic(), threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            say(f"    {name}: {time.monotonic() - start:.0f} s so far")

    say(f"  {name} ...")
    threading.Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        over.set()
    say(f"  {name}: done in {time.monotonic() - start:.1f} s")


def run(command: Sequence[str], *, cwd: Path = PROJECT, env: Mapping[str, str] | None = None) -> str:
    """Run a command and return its output; raises `BuildError` with the command and the end of what it said."""
    done = subprocess.run(gently(command), cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-20:])
        raise BuildError(f"`{' '.join(command)}` in {cwd} ended with exit code {done.returncode}:\n{said}")
    return done.stdout


def go_build(module: Path, package: str, output: Path, link_flags: str, tags: str = "") -> None:
    """Build one Go program of the module in that folder, exactly as its go.sum says."""
    command = ["go", "build", "-trimpath", "-mod=readonly", *(["-tags", tags] if tags else [])]
    with phase(f"go build {package}"):
        run([*command, "-ldflags", f"-s -w {link_flags}", "-o", str(output), package], cwd=module, env=go_environment())


def go_programs(
    module: Path, packages: Mapping[str, str], link_flags: str = "", tags: str = ""
) -> Callable[[Path], None]:
    """Return what fills an empty folder with Go programs of a module; their packages by name."""

    def make(folder: Path) -> None:
        require_go()
        (folder / "bin").mkdir()
        for name, package in packages.items():
            go_build(module, package, folder / "bin" / name, link_flags, tags)

    return make


@dataclass(frozen=True)
class Recipe:
    """How one tool's folder is made: its name, its key, and the function that fills an empty folder."""

    name: str
    key: str
    make: Callable[[Path], None]

    @property
    def store(self) -> Path:
        """Where all builds of this tool are."""
        return STORE / self.name

    @property
    def folder(self) -> Path:
        """Where the build of exactly these sources is."""
        return self.store / self.key

    @property
    def current(self) -> Path:
        """The symbolic link with a name that never changes."""
        return self.store / "current"

    def program(self, name: str) -> Path | None:
        """Return a program of the current build, else nothing: the caller says what to do."""
        found = self.current / "bin" / name
        return found if found.is_file() else None

    def built(self) -> bool:
        """Whether the build of these sources exists and is the current one."""
        return (self.folder / "built.json").is_file() and self.current.resolve() == self.folder.resolve()

    def build(self) -> Path:
        """Build unless it is there; two builds at once wait for one another. Raises `BuildError`."""
        if self.built():
            return self.folder
        self.store.mkdir(parents=True, exist_ok=True)
        with _alone(self.store / "lock", self.name):
            if not (self.folder / "built.json").is_file():
                self._make_folder()
            self._point_current()
            self._forget_old()
        return self.folder

    def _make_folder(self) -> None:
        start = time.monotonic()
        say(f"building {self.name} {self.key}")
        fresh = Path(tempfile.mkdtemp(prefix=".building-", dir=self.store))
        try:
            fresh.chmod(0o755)
            self.make(fresh)
            seconds = round(time.monotonic() - start, 1)
            (fresh / "built.json").write_text(json.dumps({"key": self.key, "seconds": seconds}) + "\n")
            shutil.rmtree(self.folder, ignore_errors=True)
            fresh.rename(self.folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        say(f"built {self.name} in {seconds} s: {self.folder}")

    def _point_current(self) -> None:
        link = self.store / f".current-{os.getpid()}"
        link.unlink(missing_ok=True)
        link.symlink_to(self.key)
        link.replace(self.current)

    def _forget_old(self) -> None:
        builds = [path.parent for path in self.store.glob("*/built.json") if not path.parent.is_symlink()]
        old = sorted((path for path in builds if path != self.folder), key=lambda path: path.stat().st_mtime)
        for path in old[: max(0, len(old) - KEPT_BUILDS + 1)]:
            shutil.rmtree(path, ignore_errors=True)
        for path in self.store.glob(".building-*"):  # nobody else builds here: we hold the lock
            shutil.rmtree(path, ignore_errors=True)


def command(recipe: Recipe, program: str = "") -> int:
    """Build what a recipe makes, print where its program is, or the folder of its programs; return the exit code."""
    try:
        sys.stdout.write(f"{recipe.build() / 'bin' / program}\n")
    except BuildError as error:
        say(str(error))
        return exit_code(error)
    return 0


@contextlib.contextmanager
def _alone(lock: Path, name: str) -> Iterator[None]:
    """Hold the lock of one tool's store; a dead holder frees it by dying."""
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another build of {name} is running, waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
