"""Alerts arrive once, are tried again, and go up when nobody takes them; receivers are real, on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from automation.exits import Ending
from automation.notify.send import KINDS, Notifier


@dataclass
class Receiver:
    got: list[dict[str, Any]] = field(default_factory=list)
    failures: int = 0
    address: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if made.failures:
                made.failures -= 1
                self.send_response(500)
            else:
                made.got.append(body)
                self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    made.address = f"json://127.0.0.1:{server.server_port}/hook"
    yield made
    server.shutdown()
    server.server_close()


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def notifier(tmp_path: Path, receiver: Receiver, clock: Clock, **more: Any) -> Notifier:
    return Notifier(tmp_path / "alerts.sqlite", [receiver.address], clock=clock, pauses=(0.0, 0.0), **more)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_six_kinds_arrive(tmp_path: Path, receiver: Receiver, kind: str) -> None:
    assert notifier(tmp_path, receiver, Clock()).alert(kind, "prod", "what happened") == "sent"
    (got,) = receiver.got
    assert kind in got["title"]
    assert KINDS[kind].severity in got["title"]
    assert "what happened" in got["message"]
    assert len(KINDS) == 6


def test_the_same_alert_arrives_once_an_hour(tmp_path: Path, receiver: Receiver) -> None:
    clock = Clock()
    made = notifier(tmp_path, receiver, clock)
    assert made.alert("build_failure", "dev", "x") == "sent"
    assert made.alert("build_failure", "dev", "x") == "duplicate"
    assert made.alert("build_failure", "dev", "y") == "sent"
    clock.now += timedelta(hours=1)
    assert made.alert("build_failure", "dev", "x") == "sent"
    assert len(receiver.got) == 3


def test_a_receiver_that_fails_is_tried_again(tmp_path: Path, receiver: Receiver) -> None:
    receiver.failures = 2
    assert notifier(tmp_path, receiver, Clock()).alert("deploy_failure", "prod", "x") == "sent"
    receiver.failures = 9
    made = notifier(tmp_path, receiver, Clock())
    assert made.alert("deploy_failure", "prod", "y") == "failed"
    receiver.failures = 0
    assert made.alert("deploy_failure", "prod", "y") == "sent"  # a failed one is no duplicate


def test_a_failed_deployment_rolls_back_and_a_short_resource_is_a_proposal(tmp_path: Path, receiver: Receiver) -> None:
    done: list[tuple[str, str]] = []
    actions = {
        name: lambda subject, name=name: done.append((name, subject)) for name in ("rollback", "propose-scaling")
    }
    made = notifier(tmp_path, receiver, Clock(), actions=actions)
    made.alert("deploy_failure", "prod", "x")
    made.alert("resource_alert", "aws-eu-west-1", "x")
    made.alert("build_success", "dev", "x")
    made.alert("deploy_failure", "prod", "x")
    assert done == [("rollback", "prod"), ("propose-scaling", "aws-eu-west-1")]


def test_what_nobody_takes_goes_up_once(tmp_path: Path, receiver: Receiver) -> None:
    clock = Clock()
    made = notifier(tmp_path, receiver, clock)
    made.alert("deploy_failure", "prod", "taken")
    key = receiver.got[0]["message"].rsplit(" ", 1)[-1]
    made.alert("deploy_failure", "prod", "left")
    made.alert("build_success", "dev", "nobody has to take this")
    assert made.acknowledge(key, "grace")
    assert not made.acknowledge(key, "ada")
    assert not made.acknowledge("unknown", "ada")
    assert made.escalate() == []
    clock.now += timedelta(minutes=31)
    assert len(made.escalate()) == 1
    assert "escalated" in receiver.got[-1]["title"]
    assert "left" in receiver.got[-1]["message"]
    assert made.escalate() == []


def test_no_receiver_and_no_such_kind(tmp_path: Path) -> None:
    made = Notifier(tmp_path / "a.sqlite", [])
    assert made.alert("build_success", "dev", "x") == "no receiver"
    with pytest.raises(Ending, match="give one of build_success"):
        made.alert("party", "dev", "x")
