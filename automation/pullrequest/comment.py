"""The one comment of a pull request: found by its hidden marker, updated in place, never by an older run."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from automation.exits import Ending, Exit
from automation.pullrequest.markdown import MARKER

SECONDS: Final = 30.0
PAGES: Final = 30
_MARK: Final = re.compile(re.escape(MARKER.removesuffix(" -->")) + r"(?: (\d+))? -->")


@dataclass(frozen=True)
class Forge:
    """GitHub's interface for the comments of one pull request (also of an own server)."""

    api: str
    repository: str
    number: int
    token: str

    def __repr__(self) -> str:
        return f"Forge({self.api}, {self.repository}, {self.number})"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Forge:
        """As the forge's runner sets it; what is missing ends with exit 2."""
        names = ("GITHUB_REPOSITORY", "PULL_REQUEST", "GITHUB_TOKEN")
        missing = [name for name in names if not environ.get(name)]
        if missing:
            raise Ending(Exit.WRONG_INPUT, "forge", f"{', '.join(missing)} is not set: a comment needs them")
        repository, number = environ["GITHUB_REPOSITORY"], environ["PULL_REQUEST"]
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", repository) or not number.isdecimal():
            raise Ending(Exit.WRONG_INPUT, "forge", "GITHUB_REPOSITORY is OWNER/NAME, PULL_REQUEST a number")
        api = environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
        if not api.startswith(("https://", "http://127.0.0.1:")):
            raise Ending(Exit.WRONG_INPUT, "forge", "GITHUB_API_URL has to be https")
        return cls(api, repository, int(number), environ["GITHUB_TOKEN"])

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call; the answer as JSON."""
        request = urllib.request.Request(  # noqa: S310 - https, or this machine, as checked
            f"{self.api}/repos/{self.repository}/{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Accept": "application/vnd.github+json",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            text = answer.read()
        return json.loads(text) if text else None

    def comments(self) -> list[dict[str, Any]]:
        """All comments that a program wrote, oldest first."""
        found: list[dict[str, Any]] = []
        for page in range(1, PAGES + 1):
            got = self.call("GET", f"issues/{self.number}/comments?per_page=100&page={page}")
            found += got
            if len(got) < 100:  # noqa: PLR2004 - a full page
                break
        return [one for one in found if (one.get("user") or {}).get("type") == "Bot"]  # nobody else's is touched


def _order(text: str) -> int | None:
    """The run's number in a comment's marker; 0 without a number, nothing without a marker at its beginning."""
    mark = _MARK.match(text.lstrip())
    return int(mark[1] or 0) if mark else None


def update(forge: Forge, text: str) -> str:
    """Create or update the comment; returns what was done. A comment of a newer run stays as it is."""
    mine = _order(text)
    if mine is None:
        raise Ending(Exit.WRONG_INPUT, "comment", "the report has no marker at its beginning: render it with `report`")
    known = [(order, one["id"]) for one in forge.comments() if (order := _order(one["body"] or "")) is not None]
    if not known:
        forge.call("POST", f"issues/{forge.number}/comments", {"body": text})
        known = [(order, one["id"]) for one in forge.comments() if (order := _order(one["body"] or "")) is not None]
        return _only_one(forge, known) or "created"
    newest = max(known)
    if newest[0] > mine:
        return f"left alone: run {newest[0]} is newer"
    forge.call("PATCH", f"issues/comments/{known[0][1]}", {"body": text})
    return _only_one(forge, [(mine, known[0][1]), *known[1:]]) or "updated"


def _only_one(forge: Forge, known: list[tuple[int, int]]) -> str:
    """Two runs that began at once may both have created one: the newest run's stays."""
    if len(known) < 2:  # noqa: PLR2004 - one is what there should be
        return ""
    keep = max(known)
    for one in known:
        if one != keep:
            forge.call("DELETE", f"issues/comments/{one[1]}")
    return f"kept one of {len(known)}"
