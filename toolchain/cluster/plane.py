"""One control plane: etcd, API server, controllers, if asked scheduler and kwok; on loopback, in its own folder."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from toolchain.cluster import programs
from toolchain.cluster.credentials import LOOPBACK, Credentials, kubeconfig, make
from toolchain.cluster.programs import Places
from toolchain.cluster.recipe import recipe

READY_SECONDS = 90
POLL_SECONDS = 0.1
STOP_SECONDS = 20
KEEPER = Path(__file__).with_name("keeper.py")


class ControlPlaneError(Exception):
    """The control plane is not built, did not start, or died; the text names the logs."""


class ControlPlane:
    """A Kubernetes control plane as a context manager; it dies with this process, however this process ends.

    `kwok=True` also runs the controllers that make pods (deployments, jobs, ...). A plane that failed leaves its folder
    with the logs; one that was stopped takes it along. With `data` the objects live in that folder instead and the next
    plane that is given it finds them; only one plane at a time may use it.
    """

    kubeconfig: Path
    server: str
    token: str
    folder: Path

    def __init__(
        self,
        *,
        scheduler: bool = False,
        kwok: bool = False,
        controllers: Sequence[str] = programs.CONTROLLERS,
        data: Path | None = None,
    ) -> None:
        self._data = data.absolute() if data else None
        self._scheduler = scheduler
        self._kwok = kwok
        extra = programs.WORKLOAD_CONTROLLERS if kwok else ()
        self._controllers = tuple(dict.fromkeys((*controllers, *extra)))
        self._keeper: subprocess.Popen[bytes] | None = None
        self._reserved: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start everything and return when the API server is ready; raises `ControlPlaneError`."""
        build = recipe()
        if not build.built():
            raise ControlPlaneError("The control plane is not built: run `python3.11 -m toolchain.cluster build`.")
        if self._keeper is not None:
            raise ControlPlaneError("This control plane is running already.")
        self.folder = Path(tempfile.mkdtemp(prefix="control-plane-"))
        try:
            self._start(build.folder / "bin")
        except BaseException:
            self._tell({"keep": True})
            self._end_keeper()
            raise
        return self

    def stop(self) -> None:
        """End every process and remove the folder; harmless when stopped already."""
        if self._keeper is not None:
            self._end_keeper()
            shutil.rmtree(self.folder, ignore_errors=True)  # gone already, unless the keeper was killed

    def log(self, name: str) -> Path:
        """Return the log of a program, such as `kube-apiserver`."""
        return self.folder / f"{name}.log"

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as administrator and return its output; raises `ControlPlaneError` with what it said."""
        command = [str(recipe().folder / "bin" / "kubectl"), f"--kubeconfig={self.kubeconfig}", *arguments]
        environment = {**os.environ, "KUBECACHEDIR": str(self.folder / "kubectl-cache")}
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise ControlPlaneError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def _start(self, folder: Path) -> None:
        places = Places(self.folder, folder, self._reserve_port(), self._reserve_port(), self._data)
        credentials = make(self.folder)
        self.kubeconfig, self.server, self.token = places.kubeconfig, places.server, credentials.token
        self.kubeconfig.touch(mode=0o600)
        self.kubeconfig.write_text(kubeconfig(credentials, places.server))
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER), str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._order("etcd", programs.etcd(places))
        self._order("kube-apiserver", programs.api_server(places, credentials))
        self._await_ready(places, credentials)
        self._order("kube-controller-manager", programs.controller_manager(places, credentials, self._controllers))
        if self._scheduler:
            self._order("kube-scheduler", programs.scheduler(places))
        if self._kwok:
            self._order("kwok", programs.kwok(places))

    def _order(self, name: str, command: list[str]) -> None:
        self._tell({"name": name, "command": command, "log": str(self.log(name))})

    def _tell(self, order: dict[str, Any]) -> None:
        if self._keeper is not None and self._keeper.stdin is not None:
            self._keeper.stdin.write(json.dumps(order).encode() + b"\n")
            self._keeper.stdin.flush()

    def _running_keeper(self) -> subprocess.Popen[bytes]:
        if self._keeper is None:
            raise ControlPlaneError("This control plane is not running.")
        return self._keeper

    def _reserve_port(self) -> int:
        """Hold a free port until the end; the server shares it, so nobody can take it in between."""
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((LOOPBACK, 0))
        self._reserved.append(held)
        return int(held.getsockname()[1])

    def _await_ready(self, places: Places, credentials: Credentials) -> None:
        trusted = ssl.create_default_context(cafile=str(credentials.authority))
        answer = "nothing yet"
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            self._check_alive()
            try:
                answer = _ask_ready(places.server_port, credentials.token, trusted)
            except OSError as error:
                answer = str(error)
            if answer == "ok":
                return
            time.sleep(POLL_SECONDS)
        raise ControlPlaneError(
            f"The API server was not ready after {READY_SECONDS} s ({answer}); its log: {self.log('kube-apiserver')}"
        )

    def _check_alive(self) -> None:
        out = self._running_keeper().stdout
        if out is None:
            raise AssertionError("the keeper is always started with a pipe")
        os.set_blocking(out.fileno(), False)
        line = out.readline()
        if line:
            ended = json.loads(line)
            log = self.log(ended["name"])
            last = log.read_text(errors="replace").strip().splitlines()[-3:] if log.is_file() else []
            raise ControlPlaneError(
                f"{ended['name']} ended with code {ended['code']} while starting; its log: {log}\n" + "\n".join(last)
            )

    def _end_keeper(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            for pipe in (keeper.stdin, keeper.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            try:
                keeper.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                keeper.kill()  # its programs go with it
                keeper.wait()
        for held in self._reserved:
            held.close()
        self._reserved.clear()


def _ask_ready(port: int, token: str, trusted: ssl.SSLContext) -> str:
    connection = http.client.HTTPSConnection(LOOPBACK, port, timeout=5, context=trusted)
    try:
        connection.request("GET", "/readyz", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().read().decode(errors="replace")
    except http.client.HTTPException as error:
        return str(error)
    finally:
        connection.close()
