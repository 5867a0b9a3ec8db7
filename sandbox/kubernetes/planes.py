"""The control planes of one stage: started when first used, ended with the stage, dropped with their cluster."""

from __future__ import annotations

import contextlib
import shutil
import threading
from pathlib import Path
from typing import Final

from sandbox.kubernetes.backend import Unreachable
from sandbox.kubernetes.kubeconfig import parse
from sandbox.kubernetes.rest import Rest
from toolchain.cluster import ControlPlane, ControlPlaneError

PLANES: Final = "planes"
"""Folder under the state directory that holds the data of the control planes."""


class Planes:
    """One control plane per host, about 310 MB and 4 s each; `FOLDER/HOST` keeps its data over restarts.

    `FOLDER/HOST/kubeconfig` serves kubectl while the plane runs (its port and token change with every start).
    """

    def __init__(self, folder: Path) -> None:
        """Keep all data under `folder`."""
        self._folder = folder
        self._lock = threading.Lock()
        self._starting: dict[str, threading.Lock] = {}
        self._running: dict[str, tuple[ControlPlane, Rest]] = {}
        self._ending: list[threading.Thread] = []
        self._closed = False

    def known(self) -> list[str]:
        """List the hosts that have data."""
        return sorted(path.name for path in self._folder.glob("*") if not path.name.startswith("."))

    def rest(self, host: str) -> Rest:
        """Return the client of a host's API server, started when it does not run. Raises Unreachable."""
        found = self._running.get(host)
        if found is not None:
            return found[1]
        with self._lock:
            mine = self._starting.setdefault(host, threading.Lock())
        with mine:
            if host not in self._running:
                self._running[host] = self._start(host)
            return self._running[host][1]

    def _start(self, host: str) -> tuple[ControlPlane, Rest]:
        if self._closed:
            raise Unreachable("the sandbox is ending")
        home = self._folder / host
        home.mkdir(parents=True, exist_ok=True)
        plane = ControlPlane(data=home / "etcd")
        try:
            plane.start()
        except ControlPlaneError as problem:
            raise Unreachable(str(problem)) from problem
        text = plane.kubeconfig.read_text(encoding="utf-8")
        note = home / "kubeconfig"
        note.touch(mode=0o600)
        note.write_text(text, encoding="utf-8")
        return plane, Rest(plane.server, parse(text).credentials)

    def drop(self, host: str) -> None:
        """End a plane and throw its data away, without making the caller wait."""
        home = self._folder / host
        found = self._running.pop(host, None)
        if found is None and not home.exists():
            return
        with self._lock:
            away = self._folder / f".gone-{len(self._ending)}-{host}"
            with contextlib.suppress(FileNotFoundError):
                home.rename(away)
            thread = threading.Thread(target=_end, args=(found, away), name=f"drop-{host}")
            self._ending.append(thread)
        thread.start()

    def close(self) -> None:
        """End all planes; their data stays."""
        self._closed = True
        for lock in list(self._starting.values()):
            with lock:
                pass  # a start under way ends first
        for host in list(self._running):
            plane, rest = self._running.pop(host)
            rest.close()
            plane.stop()
            (self._folder / host / "kubeconfig").unlink(missing_ok=True)
        for thread in self._ending:
            thread.join()


def _end(found: tuple[ControlPlane, Rest] | None, away: Path) -> None:
    if found is not None:
        found[1].close()
        found[0].stop()
    shutil.rmtree(away, ignore_errors=True)
