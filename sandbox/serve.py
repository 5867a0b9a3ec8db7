"""The server process: one port per package, until it is told to end."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.client import Client
from sandbox.cloud import Cloud
from sandbox.kubernetes.backend import Backend
from sandbox.kubernetes.constraint_kinds import WithTemplates
from sandbox.kubernetes.schema_only import SchemaOnly
from sandbox.provider import Provider
from sandbox.schema.store import SchemaStore
from sandbox.schema.tokens import PACKAGES
from sandbox.stage import Stage
from sandbox.state import Database

_OPTIONS = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20),
            ("grpc.so_reuseport", 0)]  # fmt: skip


def workers() -> int:
    """Threads per port: more than an engine's 4 x cores calls at once for every package, so Cancel never waits."""
    return 4 * (os.cpu_count() or 1) * len(PACKAGES) + 8


def backend(kind: str, state: Path, database: Database, now: str) -> Backend:
    """Choose where Kubernetes objects live: `schema` or `api-server`."""
    if kind == "schema":
        return SchemaOnly(database, now)
    from sandbox.kubernetes import api_server  # noqa: PLC0415 - needs the built control plane

    return api_server.open_backend(state, database, now)


class Serving:
    """All ports of one stage in this process."""

    def __init__(self, state: Path, stage: Stage, clusters: str = "schema") -> None:
        """Open the database under `state` and start a server per package."""
        self.database = Database(state / "clouds.sqlite")
        self.stage = stage
        stage.use(self.database)
        self.backend = backend(clusters, state, self.database, stage.now)
        self.servers: dict[str, grpc.Server] = {}
        self.ports: dict[str, int] = {}
        for package in PACKAGES:
            store = SchemaStore(package)
            behaviour: Any = (
                WithTemplates(self.backend, self.database, store)
                if package == "kubernetes"
                else Cloud(package, self.database, store, stage.now)
            )
            if isinstance(behaviour, Cloud):
                behaviour.cluster_gone = self.backend.cluster_gone
            server = grpc.server(ThreadPoolExecutor(workers(), thread_name_prefix=package), options=_OPTIONS)
            provider = Provider(package, behaviour, Client(package, self.database, stage))
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
            self.ports[package] = server.add_insecure_port("127.0.0.1:0")
            server.start()
            self.servers[package] = server

    @property
    def debug_providers(self) -> str:
        """Give the value of PULUMI_DEBUG_PROVIDERS."""
        return ",".join(f"{package}:{port}" for package, port in self.ports.items())

    def stop(self) -> None:
        """End all servers, at most a second after calls in flight."""
        self.stage.end()
        for done in [server.stop(grace=1) for server in self.servers.values()]:
            done.wait()
        self.backend.close()
        self.database.close()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def run(state: Path, stage: Stage, clusters: str, follow: int = 0) -> int:
    """Serve until SIGTERM or SIGINT, or until the parent that asked for it (`--follow`) is gone."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="sandbox: %(levelname)s %(message)s")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    serving = Serving(state, stage, clusters)
    note = state / "endpoints.json"
    text = json.dumps(
        {"providers": {key: f"127.0.0.1:{port}" for key, port in serving.ports.items()}, "pid": os.getpid()}
    )
    note.write_text(text, encoding="utf-8")
    print(f"PULUMI_DEBUG_PROVIDERS={serving.debug_providers}", flush=True)  # noqa: T201 - the contract
    while not ended.wait(timeout=2 if follow else None):
        if not _alive(follow):
            break
    serving.stop()
    note.unlink(missing_ok=True)
    return 0
