"""The step `propose-images`: newer images as commits on a branch, and one pull request that asks for them."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from automation.exits import Ending, Exit
from automation.images.catalogue import Catalogue
from automation.images.commit import Tree
from automation.images.files import places
from automation.images.update import Change, update
from automation.images.wish import load
from automation.pullrequest.comment import Forge

BRANCH: Final = "image-updates"
TITLE: Final = "Newer images"


def propose(folder: Path, environ: Mapping[str, str], base: str = "main", catalogue: Catalogue | None = None) -> str:
    """Commit, push the branch, and open a pull request when there is none; says what was done.

    The branch is made anew from what is checked out: a proposal that nobody took is replaced, never piled up.
    Raises Ending as `images update` does, 2 without the forge's variables, 1 when the push or a registry failed.
    """
    forge = Forge.from_environment({**environ, "PULL_REQUEST": "0"})
    home = folder.resolve()
    tree = Tree(home, BRANCH, f"{BRANCH}@users.noreply.github.com")
    tree.clean(sorted({place.file for place in places(home, frozenset(load(home).images))}))
    found, commits = update(home, catalogue or Catalogue(), tree.commit)
    said = "nothing is newer"
    if commits:
        server = environ.get("GITHUB_SERVER_URL", "https://github.com").rstrip("/")
        _push(home, f"{server}/{forge.repository}.git", forge.token)
        said = f"{len(commits)} commits on {BRANCH}, {_ask(forge, base, found)}"
    if failed := [each for each in found if each.state == "failed"]:
        sentence = f"{said}; {len(failed)} images could not be looked up"
        raise Ending(Exit.FAILED, "images", sentence, tuple(f"{each.image}: {each.text}" for each in failed))
    return said


def _push(home: Path, url: str, token: str) -> None:
    """Push the checkout as the branch; the token travels in the environment, where no list of processes shows it."""
    login = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    given = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"http.{url}.extraheader"}
    env = {**os.environ, **given, "GIT_CONFIG_VALUE_0": f"Authorization: Basic {login}", "GIT_TERMINAL_PROMPT": "0"}
    words = ["git", "-C", str(home), "push", "--quiet", "--force", url, f"HEAD:refs/heads/{BRANCH}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=env)  # noqa: S603 - words as a list
    if done.returncode:
        said = tuple(done.stderr.strip().splitlines()[-5:])
        raise Ending(Exit.FAILED, "git", f"{BRANCH} could not be pushed to {url}", said)


def _ask(forge: Forge, base: str, found: list[Change]) -> str:
    owner = forge.repository.partition("/")[0]
    opened = forge.call("GET", f"pulls?state=open&head={owner}:{BRANCH}&base={base}")
    if opened:
        return f"pull request {opened[0]['number']} asks for them already"
    lines = [f"- `{each.image}` {each.tag} ({each.step})" for each in found if each.state in {"newer", "pinned"}]
    made = forge.call("POST", "pulls", {"title": TITLE, "head": BRANCH, "base": base, "body": "\n".join(lines)})
    return f"pull request {made['number']} asks for them"
