"""The engine's event stream, whole: the SDK's own reader drops remediations and policy summaries."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import events_pb2_grpc

LARGEST_MESSAGE: Final = 400 * 1024 * 1024
"""Bytes; the engine's own limit (pulumi sdk/go/common/util/rpcutil, 3.259.0)."""

Take = Callable[[dict[str, Any]], None]


class _Servicer(events_pb2_grpc.EventsServicer):
    def __init__(self, take: Take) -> None:
        self._take = take
        self._one_at_a_time = threading.Lock()
        self.problems: list[str] = []

    def StreamEvents(self, request_iterator: Any, context: Any) -> Any:  # noqa: N802, ARG002 - names of the protocol
        for request in request_iterator:
            try:
                with self._one_at_a_time:
                    self._take(json.loads(request.event))
            except Exception as problem:  # noqa: BLE001 - a broken event must not end the engine's run
                self.problems.append(f"{type(problem).__name__}: {problem}")
        return empty_pb2.Empty()


@contextmanager
def listening(take: Take) -> Iterator[tuple[str, list[str]]]:
    """Serve the stream on loopback; yields the engine's `--event-log` address and a list of reading problems.

    When the block ends, every event that the engine sent has been taken.
    """
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=2),
        options=[("grpc.max_receive_message_length", LARGEST_MESSAGE), ("grpc.so_reuseport", 0)],
    )
    servicer = _Servicer(take)
    events_pb2_grpc.add_EventsServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"tcp://127.0.0.1:{port}", servicer.problems
    finally:
        server.stop(grace=5).wait()
