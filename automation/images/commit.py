"""One change, one commit, signed off: what changed, from where to where; a tree that is not clean is left alone."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from automation.exits import Ending, Exit
from automation.images.files import read
from automation.images.update import Change


class Tree:
    """The work tree of a folder. Raises Ending (2) for a folder that is in none.

    `name` and `mail` sign off where git knows nobody: on a runner of the forge.
    """

    def __init__(self, folder: Path, name: str = "", mail: str = "") -> None:
        self._folder = folder
        self._signer: tuple[str, ...] = ()
        known = subprocess.run(["git", "-C", str(folder), "config", "user.email"], capture_output=True, check=False)  # noqa: S603, S607
        if mail and not known.stdout.strip():
            self._signer = ("-c", f"user.name={name}", "-c", f"user.email={mail}")
        self._root = Path(self._git("rev-parse", "--show-toplevel", why="is no folder of a git repository"))

    def clean(self, files: Sequence[Path]) -> None:
        """Refuse (4) when something is staged, or one of the files is not as the last commit has it."""
        if staged := self._git("diff", "--cached", "--name-only"):
            details = tuple(staged.splitlines())
            raise Ending(Exit.REFUSED, "unclean", "something is staged already: commit it, or take it back", details)
        words = [str(file.resolve()) for file in files]
        if words and (touched := self._git("status", "--porcelain", "--", *words)):
            sentence = "these files have changes that are not committed: commit them, or take them back"
            raise Ending(Exit.REFUSED, "unclean", sentence, tuple(touched.splitlines()))

    def commit(self, change: Change, texts: Mapping[Path, str]) -> str:
        """Write the files and commit them, signed off; when the commit fails they are as before. Returns its hash."""
        before = {file: read(file) for file in texts}
        written: list[Path] = []
        try:
            for file, text in texts.items():
                written.append(file)
                file.write_text(text, encoding="utf-8", newline="")
            words = [str(file.resolve()) for file in texts]
            self._git("commit", "--quiet", "--signoff", "--message", message(change, self._folder), "--", *words)
        except (Ending, OSError) as problem:
            with contextlib.suppress(OSError):  # what could not be written is as it was
                for file in written:
                    file.write_text(before[file], encoding="utf-8", newline="")
            if isinstance(problem, OSError):
                sentence = f"{problem.filename} cannot be written ({problem.strerror}): nothing of this change was kept"
                raise Ending(Exit.FAILED, "images", sentence) from None
            raise
        return self._git("rev-parse", "HEAD")

    def _git(self, *words: str, why: str = "") -> str:
        command = ["git", "-C", str(self._folder), *self._signer, *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - words as a list
        except OSError as error:
            raise Ending(
                Exit.WRONG_INPUT, "git", f"git cannot be started ({type(error).__name__}): install it"
            ) from None
        if done.returncode:
            said = tuple((done.stderr or done.stdout).strip().splitlines()[-5:])
            if why:
                raise Ending(Exit.WRONG_INPUT, "git", f"{self._folder} {why}", said)
            raise Ending(Exit.FAILED, "git", f"`git {words[0]}` failed: nothing of this change was kept", said)
        return done.stdout.strip("\n")


def message(change: Change, folder: Path) -> str:
    """Say what changed; the first line holds the image, both versions and how large the step is."""
    before = ", ".join(each.partition("@")[0] or "untagged" for each in change.before)
    files = sorted({str(place.file.relative_to(folder)) for place in change.places})
    if change.state == "pinned":
        title = f"images: {change.image} {change.tag} by its digest"
    else:
        title = f"images: {change.image} {before} -> {change.tag} ({change.step})"
    lines = [title, "", *(f"before: {each or 'nothing'}" for each in change.before)]
    return "\n".join([*lines, f"after:  {change.tag}@{change.digest}", f"files:  {', '.join(files)}", ""])
