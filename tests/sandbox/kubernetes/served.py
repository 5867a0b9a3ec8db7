"""The kubernetes port alone, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
from pulumi.runtime.proto import provider_pb2_grpc

from sandbox.client import Client
from sandbox.faults import Plan
from sandbox.kubernetes.backend import Backend
from sandbox.kubernetes.constraint_kinds import WithTemplates
from sandbox.provider import Provider
from sandbox.schema.store import SchemaStore
from sandbox.stage import Stage
from sandbox.state import Database


@contextmanager
def served(backend: Backend, database: Database) -> Iterator[str]:
    """Serve the kubernetes port alone, and give its address."""
    behaviour = WithTemplates(backend, database, SchemaStore("kubernetes"))
    stage = Stage(Plan())
    stage.use(database)
    server = grpc.server(ThreadPoolExecutor(16))
    servicer = Provider("kubernetes", behaviour, Client("kubernetes", database, stage))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield address
    server.stop(grace=1).wait()
    backend.close()
