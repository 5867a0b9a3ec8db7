"""A scratch git repository with a copy of the project, two people with keys, and a state directory of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from automation.exits import Ending, Exit

STACK: Final = "story"
KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "ENGINE", "PYTHONPYCACHEPREFIX", "OMP_NUM_THREADS", "GOPATH")
"""All that the story takes over from whoever tells it: no credential, no backend, no passphrase."""
SECONDS: Final = 900
AUTHOR, APPROVER = "ada", "grace"


@dataclass(frozen=True)
class Ran:
    """One command of the story."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    def document(self) -> dict[str, Any]:
        """What it printed with --json; nothing readable is an empty report."""
        try:
            read = json.loads(self.out)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    def reasons(self) -> list[str]:
        """Codes of the refusals, or of the error."""
        made = self.document()
        if "error" in made:
            return [str(made["error"]["reason"])]
        return [str(one["code"]) for one in made.get("refusals", ())]


@dataclass(frozen=True)
class Scratch:
    """The repository and how its people work in it."""

    folder: Path

    @property
    def project(self) -> Path:
        return self.folder / "project"

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {**kept, "ECOSYSTEM_STATE": str(self.folder / "state"), "ECOSYSTEM_ACTOR": AUTHOR, **more}

    def python(self, *words: str, project: Path | None = None, **env: str) -> Ran:
        """Run a module of the repository's own code, as somebody in that checkout would."""
        return self._run((sys.executable, "-m", *words), project or self.project, env)

    def automation(self, *words: str, project: Path | None = None, **env: str) -> Ran:
        """`python -m automation ...` in the repository."""
        return self.python("automation", *words, project=project, **env)

    def git(self, *words: str, project: Path | None = None) -> str:
        """Git, as the author; a failure ends the story (exit 1)."""
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
        ran = self._run(("git", *who, *words), project or self.project, {})
        if ran.code:
            raise Ending(Exit.FAILED, "story", f"git {words[0]} failed in the scratch repository: {ran.err.strip()}")
        return ran.out.strip()

    def commit(self, text: str) -> str:
        """Commit everything; returns the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", text)
        return self.git("rev-parse", "HEAD")

    def key(self, name: str) -> str:
        return str(self.folder / f"{name}.key")

    def _run(self, words: tuple[str, ...], folder: Path, env: Mapping[str, str]) -> Ran:
        try:
            ran = subprocess.run(  # noqa: S603 - our own commands, no shell
                words,
                cwd=folder,
                env=self.environment(env),
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired:
            raise Ending(Exit.FAILED, "story", f"{' '.join(words[:5])} took more than {SECONDS} s") from None
        return Ran(words, ran.returncode, ran.stdout, ran.stderr)


def _tracked(source: Path) -> list[str]:
    asked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git of the user's PATH
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode:
        raise Ending(Exit.WRONG_INPUT, "story", f"{source} is no git checkout: the story copies what git tracks")
    return [name for name in asked.stdout.split("\0") if name]


def _linked(source: Path, target: Path) -> None:
    """The tools and packages are used, not copied: they are ignored by git in both places."""
    for name, path in ((".venv", Path(sys.prefix)), (".toolchain", source / ".toolchain")):
        if path.is_dir():
            (target / name).symlink_to(path.resolve())


def make(source: Path, folder: Path) -> Scratch:
    """Copy the project with its uncommitted changes, add the story's stack, and commit it on `main`."""
    made = Scratch(folder)
    for name in _tracked(source):
        if not name.startswith("tests/") and (source / name).is_file():
            path = made.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, path)
    _linked(source, made.project)
    here = Path(__file__).parent
    shutil.copy(here / "stack.yaml", made.project / f"Pulumi.{STACK}.yaml")
    (made.project / "demand").mkdir(exist_ok=True)
    shutil.copy(here / "demand.csv", made.project / "demand" / "story.csv")
    made.git("init", "-q", "-b", "main")
    (made.project / ".git" / "info" / "exclude").write_text(".venv\n.toolchain\n", encoding="utf-8")
    (made.project / "config" / "signers.json").unlink(missing_ok=True)  # the story has people of its own
    for name in (AUTHOR, APPROVER):
        drawn = made.automation("keys", "generate", "--owner", name, "--out", made.key(name))
        public = folder / f"{name}.pub"
        public.write_text(drawn.out, encoding="utf-8")
        trusted = made.automation("keys", "trust", str(public))
        if drawn.code or trusted.code:
            raise Ending(Exit.FAILED, "story", f"no keys for {name}: {drawn.err}{trusted.err}")
    made.commit("The platform, and who may sign")
    return made
