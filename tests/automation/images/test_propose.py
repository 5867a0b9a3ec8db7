"""Newer images become one branch and one pull request, at a forge that speaks GitHub's interface."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from automation.exits import Ending, Exit
from automation.pipeline import propose_images
from tests.automation.images.registry import Registry, registry
from tests.automation.images.test_update import folder, git

__all__ = ["folder", "registry"]
TOKEN = "t0ken-of-the-forge"


class Interface(BaseHTTPRequestHandler):
    """Pull requests of one repository."""

    pulls: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        self._answer(self.pulls)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        self.pulls.append({"number": 7, **body})
        self._answer(self.pulls[-1])

    def _answer(self, made: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(made).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment of a runner; what is pushed lands in a bare repository, and the words of git are kept."""
    Interface.pulls = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Interface)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    bare = tmp_path / "us" / "it.git"
    bare.mkdir(parents=True)
    git(bare, "init", "--quiet", "--bare")
    yield {
        "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
        "GITHUB_SERVER_URL": f"file://{tmp_path}",
        "GITHUB_REPOSITORY": "us/it",
        "GITHUB_TOKEN": TOKEN,
    }
    server.shutdown()
    server.server_close()
    thread.join()


def pushed(folder: Path) -> str:
    return git(folder.parent / "us" / "it.git", "rev-parse", "image-updates")


def test_one_branch_and_one_request(folder: Path, registry: Registry, forge: dict[str, str]) -> None:
    start = git(folder, "rev-parse", "HEAD")
    assert propose_images.propose(folder, forge) == "2 commits on image-updates, pull request 7 asks for them"
    assert pushed(folder) == git(folder, "rev-parse", "HEAD")
    (asked,) = Interface.pulls
    assert (asked["head"], asked["base"]) == ("image-updates", "main")
    assert f"- `{registry.host}/example/gateway` 1.10.0 (minor)" in asked["body"]

    git(folder, "switch", "--quiet", "--detach", start)  # the next run begins from main again
    registry.push("example/agent", "v0.9.3", "linux/amd64", "linux/arm64")
    said = propose_images.propose(folder, forge)
    assert said == "2 commits on image-updates, pull request 7 asks for them already"
    assert pushed(folder) == git(folder, "rev-parse", "HEAD")
    assert propose_images.propose(folder, forge) == "nothing is newer"


def test_a_runner_whose_git_knows_nobody_signs_off_too(
    folder: Path, forge: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    for key in ("user.name", "user.email"):
        git(folder, "config", "--unset", key)
    propose_images.propose(folder, forge)
    signed = git(folder, "log", "-1", "--format=%b")
    assert "Signed-off-by: image-updates <image-updates@users.noreply.github.com>" in signed


def test_what_failed_is_told_after_what_was_done(folder: Path, registry: Registry, forge: dict[str, str]) -> None:
    registry.push("example/agent", "v0.9.3", "linux/amd64")
    with pytest.raises(Ending) as failed:
        propose_images.propose(folder, forge)
    assert (failed.value.code, "1 commits on image-updates" in failed.value.sentence) == (Exit.FAILED, True)


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GITHUB_REPOSITORY"])
def test_without_a_forge_nothing_is_begun(folder: Path, forge: dict[str, str], name: str) -> None:
    head = git(folder, "rev-parse", "HEAD")
    with pytest.raises(Ending) as refused:
        propose_images.propose(folder, {key: value for key, value in forge.items() if key != name})
    assert refused.value.code is Exit.WRONG_INPUT
    assert git(folder, "rev-parse", "HEAD") == head


def test_a_push_that_fails_shows_no_token(folder: Path, forge: dict[str, str]) -> None:
    with pytest.raises(Ending) as failed:
        propose_images.propose(folder, {**forge, "GITHUB_SERVER_URL": "file:///nowhere-at-all"})
    assert failed.value.reason == "git"
    assert TOKEN not in f"{failed.value}{failed.value.details}"
