"""The console shows what was recorded, to who has the token, and nobody can change anything through it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1] / "pullrequest"))
import browser
from test_browser import CHROMIUM, PROBE

from automation.console.app import Console
from automation.console.commands import loopback, token_of
from automation.console.view import Sources
from automation.exits import Ending
from automation.ledger.hand import ledger_of
from automation.pipeline.record import CommandRecord, RunRecord, StageRecord

TOKEN = "a-token-of-the-console-test"
HOSTILE = "<script>window.hacked=1</script>"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def save(folder: Path, number: int, conclusion: str = "failure") -> None:
    made = RunRecord(number, "preview", "c" * 40, "main", "push", 1, f"2026-11-21T12:00:{number:02}Z", "dev")
    step = CommandRecord(HOSTILE, 1, conclusion, f"first\n{HOSTILE}", 1.5)  # type: ignore[arg-type]
    made.jobs.append(StageRecord(1, "offline", [step]))
    made.save(folder)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@dataclass
class Served:
    base: str
    sources: Sources

    def ask(self, path: str, token: str | None = TOKEN, **more: object) -> tuple[int, str, dict[str, str]]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= dict(more.pop("headers", {}))  # type: ignore[call-overload]
        request = urllib.request.Request(f"{self.base}{path}", headers=headers, **more)  # type: ignore[arg-type]
        opener = urllib.request.build_opener(NoRedirect)
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode(), dict(answer.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), dict(error.headers)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    environ = {"ECOSYSTEM_STATE": str(tmp_path / "state")}
    sources = Sources(tmp_path, tmp_path / "records", environ)
    save(sources.records, 1)
    ledger = ledger_of(tmp_path, environ)
    ledger.append(NOW, "up", who="ada", stack="dev", mode="offline", outcome="ok", cost_monthly_usd=123.5)
    ledger.append(NOW, "up", who=HOSTILE, stack="prod", mode="real", outcome="refused", reason="freeze")
    ledger.append(NOW, "drift", who="ada", stack="dev", mode="offline", outcome="ok", drifted=2, names="net, key")
    config = uvicorn.Config(
        Console(sources, TOKEN).app(["127.0.0.1"]),
        host="127.0.0.1",
        port=0,
        log_level="error",
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    socket = config.bind_socket()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    while not server.started:
        thread.join(timeout=0.02)
        assert thread.is_alive()
    yield Served(f"http://127.0.0.1:{socket.getsockname()[1]}", sources)
    server.should_exit = True
    server.force_exit = True
    thread.join(timeout=20)


def test_it_shows_what_was_recorded(served: Served) -> None:
    code, text, headers = served.ask("/")
    assert code == 200
    for word in ("preview dev", "freeze", "123.5", "net, key", "ada", "deploy_success_rate"):
        assert word in text
    assert "<script>window" not in text
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    data = json.loads(served.ask("/data.json")[1])
    assert data["runs"][0]["jobs"][0]["steps"][0]["why"].endswith(HOSTILE)
    assert [one["reason"] for one in data["gates"]] == ["freeze"]
    assert data["drift"][0]["drifted"] == 2


@pytest.mark.parametrize("path", ["/", "/part", "/data.json", "/events"])
@pytest.mark.parametrize("token", [None, "", "wrong-token-of-the-console", TOKEN[:-1], f"{TOKEN}x"])
def test_nothing_without_the_token(served: Served, path: str, token: str | None) -> None:
    code, text, _ = served.ask(path, token)
    assert code == 401
    assert "freeze" not in text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/part", "/data.json", "/events"])
def test_nothing_can_be_changed(served: Served, method: str, path: str) -> None:
    assert served.ask(path, data=b"{}", method=method)[0] == 405


def test_a_foreign_name_is_refused(served: Served) -> None:
    assert served.ask("/", headers={"Host": "evil.example"})[0] == 400


def test_signing_in(served: Served) -> None:
    def post(token: str) -> tuple[int, dict[str, str]]:
        body = urllib.parse.urlencode({"token": token}).encode()
        code, _, headers = served.ask("/login", None, data=body, method="POST")
        return code, headers

    assert post("wrong")[0] == 401
    assert served.ask("/login", None, data=b"x" * 9999, method="POST")[0] == 413
    code, headers = post(TOKEN)
    assert code == 303
    cookie = headers["set-cookie"]
    assert "httponly" in cookie.lower()
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    code, text, _ = served.ask("/", None, headers={"Cookie": cookie.split(";")[0]})
    assert code == 200
    assert "freeze" in text


def test_events_tell_of_a_change_and_carry_nothing(served: Served) -> None:
    request = urllib.request.Request(f"{served.base}/events", headers={"Authorization": f"Bearer {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.readline() == b"retry: 2000\n"
        save(served.sources.records, 2, "success")
        seen = b""
        while b"event: changed" not in seen:
            seen += answer.readline()
        assert answer.readline() == b"data: 1\n"


def test_a_broken_record_is_named(served: Served) -> None:
    (served.sources.records / "x.json").write_text("{")
    code, text, _ = served.ask("/")
    assert code == 200
    assert "x.json is no run record" in text


def test_who_may_reach_it() -> None:
    assert loopback("127.0.0.1")
    assert loopback("::1")
    assert not loopback("0.0.0.0")
    with pytest.raises(Ending):
        loopback("localhost.example")
    with pytest.raises(Ending):
        token_of("short")
    assert token_of(TOKEN) == TOKEN
    assert token_of("") != token_of("")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
@pytest.mark.parametrize(("width", "dark"), [(360, True), (1440, False)])
def test_in_a_browser(served: Served, width: int, dark: bool, tmp_path: Path) -> None:  # noqa: FBT001
    script = PROBE.replace("<script>", "").replace("</script>", "")
    wait = (
        "new Promise(done => { const look = () => document.querySelectorAll('details').length > 1"
        " ? done(document.getElementById('live').textContent) : setTimeout(look, 50); look() })"
    )
    shown = browser.Served(
        f"{served.base}/", {"Authorization": f"Bearer {TOKEN}"}, script, wait, lambda: save(served.sources.records, 3)
    )
    home = tmp_path / "page.html"
    found = browser.visit(str(CHROMIUM), home, width, dark=dark, shot=tmp_path / "shot.png", served=shown)
    assert found["view"] == width
    assert found["wide"] <= width, "the page is wider than the screen"
    assert found["least"] >= 4.5
    assert found["dark"] is dark
    assert found["ran"] is False
    assert found["unnamed"] == 0
    assert found["headings"][:2] == ["H1", "H2"]
    assert found["later"] == "live"  # the page took the new run in by itself
    if keep := os.environ.get("ECOSYSTEM_SHOTS"):
        shutil.copy(tmp_path / "shot.png", Path(keep) / f"console-{width}.png")
