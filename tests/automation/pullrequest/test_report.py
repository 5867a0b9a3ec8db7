"""The report says what matters in its order, stays text whatever stands in it, and fits where it goes."""

from __future__ import annotations

import html.parser
import json
import os
import re
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import cases

from automation.exits import Ending
from automation.pullrequest import markdown, model, web
from automation.pullrequest.comment import Forge, update

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["plain", "refused", "hostile"])
@pytest.mark.parametrize("kind", ["md", "html"])
def test_golden(name: str, kind: str) -> None:
    """Written anew with ECOSYSTEM_GOLDEN=write, and then read by a person."""
    refusal = {"code": "budget", "sentence": "too dear", "details": ["aws: 9 USD"]}
    made = {
        "plain": cases.report(**cases.computed()),
        "refused": cases.report(refusals=[refusal], refused=1),
        "hostile": cases.hostile(),
    }[name]
    text = {"md": markdown.render, "html": web.render}[kind](model.pages([made]))
    path = GOLDEN / f"{name}.{kind}"
    if os.environ.get("ECOSYSTEM_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_order_of_decision() -> None:
    keys = [part.key for part in model.page(cases.report()).parts]
    assert keys == [
        "losses", "changes", "updates", "pools", "cost", "law", "undetermined", "reach", "availability", "blast",
        "assurance",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict", "good"),
    [
        ({}, "Good to go: 2 create, 1 replace, 1 update; +201.00 USD a month", True),
        ({"preview_steps": {"same": 3}}, "Good to go: no changes", True),
        ({"refusals": [{"code": "budget", "sentence": "s", "details": []}]}, "REFUSED (budget)", False),
        ({"policy": {"judged": False}}, "NOT JUDGED", False),
        (
            {"changed": [{"op": "delete", "urn": cases.urn("db"), "type": "t", "paths": [], "stateful": True}]},
            "LOSES 1 stateful",
            False,
        ),
    ],
)
def test_the_verdict(change: dict[str, Any], verdict: str, good: bool) -> None:  # noqa: FBT001
    page = model.page(cases.report(**change))
    assert page.verdict.startswith(verdict)
    assert page.good is good


def test_an_import_is_no_loss() -> None:
    row = {"op": "import", "urn": cases.urn("old"), "type": "aws:s3/bucket:Bucket", "paths": [], "stateful": False}
    parts = {part.key: part for part in model.page(cases.report(changed=[row])).parts}
    assert parts["losses"].lines == ("nothing is replaced or deleted",)
    assert parts["imports"].lines == ("old (aws:s3/bucket:Bucket)",)
    assert "updates" not in parts


def test_what_was_not_computed_is_said() -> None:
    text = markdown.render(model.pages([cases.report()]))
    assert text.count("was not computed in this run") == 2


class Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in {"src", "href"} for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_hostile_names_are_only_text() -> None:
    pages = model.pages([cases.hostile()])
    reader = Reader()
    reader.feed(web.render(pages))
    assert "script" not in reader.tags
    assert "img" not in reader.tags
    assert cases.HOSTILE in "".join(reader.text)
    text = markdown.render(pages)
    assert "<script" not in text
    assert "<img" not in text
    assert not re.search(r"(?<!\\)\]\(", text)
    assert not re.search(r"(?<!\w)@\w", text)
    assert "\n## head" not in text
    assert text.count("<!--") == 1
    assert "http://" not in text


def test_unprintable_characters_are_gone() -> None:
    assert markdown.safe("a\u202eb\x00c\nd") == "abc d"


@pytest.mark.parametrize("count", [1, 300, 1000, 3000])
def test_it_fits_into_a_comment(count: int) -> None:
    link = "https://forge.example/run/1"
    text = markdown.render(model.pages([cases.large(count)]), full_report=link)
    assert len(text) <= 65_536
    assert text.startswith(markdown.MARKER)
    assert "would be lost" in text
    assert "forge.example/run/1" in text
    assert text.count("<details>") == text.count("</details>")
    if count >= 1000:
        assert "more: see the full report" in text


def test_very_many_stacks_fit_too() -> None:
    text = markdown.render(model.pages([cases.large(500) for _ in range(60)]), limit=20_000)
    assert len(text) <= 20_000


class Desk:
    """A forge's comments, over HTTP."""

    def __init__(self) -> None:
        self.comments: dict[int, dict[str, Any]] = {}
        self.calls: list[str] = []


@pytest.fixture
def desk() -> Iterator[tuple[Desk, Forge]]:
    state = Desk()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            page = int(self.path.rsplit("=", 1)[1])
            self.answer(list(state.comments.values())[(page - 1) * 100 : page * 100])

        def body(self) -> str:
            return str(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"])

        def do_POST(self) -> None:
            number = len(state.comments) + 1
            state.calls.append("POST")
            state.comments[number] = {"id": number, "body": self.body(), "user": {"type": "Bot"}}
            self.answer(state.comments[number])

        def do_PATCH(self) -> None:
            number = int(self.path.rsplit("/", 1)[1])
            state.calls.append("PATCH")
            state.comments[number]["body"] = self.body()
            self.answer({})

        def do_DELETE(self) -> None:
            state.calls.append("DELETE")
            del state.comments[int(self.path.rsplit("/", 1)[1])]
            self.answer({})

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield state, Forge(f"http://127.0.0.1:{server.server_port}", "us/it", 7, "token-of-the-run")
    server.shutdown()
    server.server_close()


def rendered(order: str) -> str:
    return markdown.render(model.pages([cases.report(notes=[f"run {order}"])]), order=order)


def test_one_comment_updated_in_place(desk: tuple[Desk, Forge]) -> None:
    state, forge = desk
    for number in range(1, 121):  # two pages of what people wrote
        state.comments[number] = {"id": number, "body": "nice", "user": {"type": "User"}}
    state.comments[3]["body"] = rendered("999")  # a person who copies the marker
    assert update(forge, rendered("10")) == "created"
    assert update(forge, rendered("11")) == "updated"
    assert update(forge, rendered("9")) == "left alone: run 11 is newer"
    assert state.calls == ["POST", "PATCH"]
    assert "run 11" in state.comments[121]["body"]
    assert "token-of-the-run" not in repr(forge)


def test_two_runs_at_once_leave_one(desk: tuple[Desk, Forge]) -> None:
    state, forge = desk
    for number in (1, 2):
        state.comments[number] = {"id": number, "body": rendered(str(number)), "user": {"type": "Bot"}}
    assert update(forge, rendered("3")) == "kept one of 2"
    assert len(state.comments) == 1
    assert "run 3" in next(iter(state.comments.values()))["body"]


@pytest.mark.parametrize(
    "change",
    [
        {"GITHUB_TOKEN": ""},
        {"GITHUB_REPOSITORY": "us/it/../../x"},
        {"PULL_REQUEST": "7/../8"},
        {"GITHUB_API_URL": "http://evil.example"},
    ],
)
def test_the_forge_is_known_exactly(change: dict[str, str]) -> None:
    good = {"GITHUB_REPOSITORY": "us/it", "PULL_REQUEST": "7", "GITHUB_TOKEN": "t"}
    assert Forge.from_environment(good).number == 7
    with pytest.raises(Ending):
        Forge.from_environment(good | change)
