"""Waiting as the provider does: again when something is missing, until an object is live, until it is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from sandbox.connection import Connection
from sandbox.kubernetes.backend import ApiError, Cluster, Json, ObjectRef
from sandbox.kubernetes.ready import reason_not_ready
from sandbox.kubernetes.wishes import TIMEOUT

T = TypeVar("T")

DEFAULT_SECONDS: Final = 600.0
WITHOUT_CONTROLLER_SECONDS: Final = {"ResourceQuota": 60.0}
DELETES_UNAWAITED: Final = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)
"""Kinds whose deletion skipAwait lets go; all others are waited for in any case."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


class TimeOver(Exception):  # noqa: N818 - it is what happened
    """The time is over; `last` is the object as it was seen last, `why` what it waits for."""

    def __init__(self, why: str, last: Json | None) -> None:
        """Keep both."""
        super().__init__(why)
        self.why = why
        self.last = last


def seconds_for(kind: str, notes: Mapping[str, Any], timeout: float) -> float:
    """Tell how long to wait: the annotation, else the program's custom timeout, else the kind's default."""
    try:
        return float(notes[TIMEOUT])
    except (KeyError, TypeError, ValueError):
        return timeout or WITHOUT_CONTROLLER_SECONDS.get(kind, DEFAULT_SECONDS)


def again_while_missing(do: Callable[[], T], cluster: Cluster, connection: Connection) -> T:
    """Try again, with the cluster's pauses, while the kind or the namespace is missing."""
    for pause in cluster.pauses:
        try:
            return do()
        except ApiError as no:
            if no.reason not in {"NotFound", "NoSuchKind"} or not _slept(pause, connection):
                raise
    return do()


def until_live(
    cluster: Cluster, ref: ObjectRef, notes: Mapping[str, Any], timeout: float, connection: Connection
) -> Json:
    """Wait until an object is live. Raises TimeOver, also when the engine cancels."""
    end = time.monotonic() + seconds_for(ref.kind, notes, timeout)
    pause = _FIRST_PAUSE
    while True:
        live = cluster.get(ref)
        why = "it is gone" if live is None else reason_not_ready(live)
        if live is not None and why is None:
            return live
        if time.monotonic() >= end or not _slept(min(pause, max(end - time.monotonic(), 0.01)), connection):
            raise TimeOver(str(why), live)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def until_gone(
    cluster: Cluster, ref: ObjectRef, notes: Mapping[str, Any], timeout: float, connection: Connection
) -> None:
    """Wait until an object has disappeared. Raises TimeOver, also when the engine cancels."""
    end = time.monotonic() + seconds_for("", notes, timeout)
    pause = _FIRST_PAUSE
    while (live := cluster.get(ref)) is not None:
        if time.monotonic() >= end or not _slept(pause, connection):
            left = (live.get("metadata") or {}).get("finalizers") or (live.get("spec") or {}).get("finalizers") or []
            raise TimeOver(f"finalizers: {left}", live)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _slept(seconds: float, connection: Connection) -> bool:
    """Sleep in short steps; False when the engine cancelled meanwhile."""
    end = time.monotonic() + seconds
    while not connection.cancelled and time.monotonic() < end:
        time.sleep(min(0.2, max(end - time.monotonic(), 0.001)))
    return not connection.cancelled
