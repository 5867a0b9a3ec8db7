"""Six alerts, each with a severity and an action; retried, sent once, and escalated when nobody acknowledges.

Receivers are apprise addresses (https://github.com/caronc/apprise, 2026-11-21): Telegram, e-mail, Slack, Discord,
webhooks; they come from the environment, because an address holds a token.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import apprise

from automation import places
from automation.exits import Ending, Exit
from automation.signing.keys import moment, stamp

Severity = Literal["info", "warning", "critical"]
Sent = Literal["sent", "duplicate", "failed", "no receiver"]


@dataclass(frozen=True)
class Kind:
    """What an alert means and what follows from it."""

    severity: Severity
    action: str
    notify_type: apprise.NotifyType
    acknowledge: bool = False


KINDS: Final[Mapping[str, Kind]] = {
    "build_success": Kind("info", "none", apprise.NotifyType.SUCCESS),
    "build_warning": Kind("warning", "look", apprise.NotifyType.WARNING),
    "build_failure": Kind("critical", "repair", apprise.NotifyType.FAILURE, acknowledge=True),
    "deploy_success": Kind("info", "none", apprise.NotifyType.SUCCESS),
    "deploy_failure": Kind("critical", "rollback", apprise.NotifyType.FAILURE, acknowledge=True),
    "resource_alert": Kind("warning", "propose-scaling", apprise.NotifyType.WARNING, acknowledge=True),
}
WINDOW: Final = timedelta(hours=1)
PATIENCE: Final = timedelta(minutes=30)
PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds between the tries of one message."""
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS alerts (
  key TEXT PRIMARY KEY, kind TEXT, subject TEXT, text TEXT, first TEXT, last TEXT, times INTEGER,
  acknowledged TEXT, escalated INTEGER DEFAULT 0
)"""


@dataclass
class Notifier:
    """Sends to first-line receivers; what nobody acknowledges goes to the second line, once for each level."""

    state: Path
    receivers: Sequence[str]
    second_line: Sequence[str] = ()
    window: timedelta = WINDOW
    patience: timedelta = PATIENCE
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    pauses: Sequence[float] = PAUSES
    actions: Mapping[str, Callable[[str], object]] = field(default_factory=dict)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.state.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.state, timeout=30, isolation_level=None)) as base:
            base.execute(SCHEMA)
            base.execute("BEGIN IMMEDIATE")
            try:
                yield base
            except BaseException:
                base.execute("ROLLBACK")
                raise
            base.execute("COMMIT")

    def alert(self, kind: str, subject: str, text: str) -> Sent:
        """Send one alert; the same one within the window is counted, not sent. An unknown kind ends with exit 2."""
        known = KINDS.get(kind)
        if known is None:
            raise Ending(Exit.WRONG_INPUT, "alert", f"{kind}: give one of {', '.join(KINDS)}")
        now = self.clock()
        key = hashlib.sha256(json.dumps([kind, subject, text]).encode()).hexdigest()[:16]
        with self._open() as base:
            row = base.execute("SELECT last, times FROM alerts WHERE key = ?", (key,)).fetchone()
            if row and now - moment(row[0]) < self.window:
                base.execute("UPDATE alerts SET times = times + 1 WHERE key = ?", (key,))
                return "duplicate"
            base.execute(
                "INSERT OR REPLACE INTO alerts VALUES (?,?,?,?,?,?,1,NULL,0)",
                (key, kind, subject, text, stamp(now), stamp(now)),
            )
        if known.action in self.actions:
            self.actions[known.action](subject)
        sent = self._send(self.receivers, kind, f"[{known.severity}] {kind}: {subject}", f"{text}\nalert {key}")
        if sent == "failed":  # the next one with the same words is tried again
            with self._open() as base:
                base.execute("DELETE FROM alerts WHERE key = ?", (key,))
        return sent

    def _send(self, receivers: Sequence[str], kind: str, title: str, body: str) -> Sent:
        if not receivers:
            return "no receiver"
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its warnings name addresses, and they hold tokens
        left = list(receivers)
        for pause in (0.0, *self.pauses):
            time.sleep(pause)
            left = [address for address in left if not _notify(address, title, body, KINDS[kind].notify_type)]
            if not left:
                return "sent"
        return "failed"

    def all(self) -> list[dict[str, Any]]:
        """Every alert that is remembered, the newest first."""
        names = ("key", "kind", "subject", "first", "last", "times", "acknowledged", "escalated")
        with self._open() as base:
            rows = base.execute(f"SELECT {', '.join(names)} FROM alerts ORDER BY last DESC, key").fetchall()  # noqa: S608
        return [dict(zip(names, row, strict=True)) for row in rows]

    def acknowledge(self, key: str, who: str) -> bool:
        """Somebody takes it; returns whether there was such an alert."""
        with self._open() as base:
            done = base.execute(
                "UPDATE alerts SET acknowledged = ? WHERE key = ? AND acknowledged IS NULL", (who, key)
            ).rowcount
        return bool(done)

    def escalate(self) -> list[str]:
        """Tell the second line what nobody took in time; returns the alerts' keys."""
        now = self.clock()
        with self._open() as base:
            rows = base.execute(
                "SELECT key, kind, subject, text, first FROM alerts WHERE acknowledged IS NULL AND escalated = 0"
            ).fetchall()
        told = []
        for key, kind, subject, text, first in rows:
            if not KINDS[kind].acknowledge or now - moment(first) < self.patience:
                continue
            title = f"[escalated] {kind}: {subject}"
            if (
                self._send(self.second_line or self.receivers, kind, title, f"{text}\nnobody took alert {key}")
                == "sent"
            ):
                with self._open() as base:
                    base.execute("UPDATE alerts SET escalated = 1 WHERE key = ?", (key,))
                told.append(key)
        return told


def _notify(address: str, title: str, body: str, kind: apprise.NotifyType) -> bool:
    with warnings.catch_warnings():  # its plug-ins import modules that leave Python after 3.12
        warnings.simplefilter("ignore", DeprecationWarning)
        sender = apprise.Apprise()
        return bool(sender.add(address)) and bool(sender.notify(body=body, title=title, notify_type=kind))


def from_environment(environ: Mapping[str, str]) -> Notifier:
    """Receivers from ECOSYSTEM_NOTIFY and ECOSYSTEM_NOTIFY_SECOND (addresses, separated by spaces)."""
    return Notifier(
        places.root(environ) / "alerts.sqlite",
        environ.get("ECOSYSTEM_NOTIFY", "").split(),
        environ.get("ECOSYSTEM_NOTIFY_SECOND", "").split(),
    )
