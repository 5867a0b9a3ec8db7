"""Stands between the engine and a policy pack.

The engine tells a pack its stack and configuration by RPC before it asks anything; a Python pack wants them in its
environment, so it can be started only after that. The proxy answers first, passes calls on as bytes, undecoded, until
the pack has said what it is, and then sends the engine to the pack itself; should the pack die, the proxy answers again
and says how. Secrets of the configuration travel in the environment only.
"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import grpc

from .failure import HostError
from .protocol import analyzer_pb2
from .relay import Relay
from .wire import LOOPBACK, OPTIONS

SERVICE = "/pulumirpc.Analyzer/"
START_SECONDS = 60
END_SECONDS = 5
LINGER_SECONDS = 1
LAST_OF_THE_START = "GetAnalyzerInfo"
"""The engine asks it first of all that needs the pack, and nothing meanwhile (pulumi 3.259, pkg/engine/update.go)."""


class PolicyProxy(grpc.GenericRpcHandler):  # type: ignore[type-arg] # no generic class at run time
    """The `Analyzer` service of one pack, on a port of its own."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._known = threading.Event()  # the configuration has come, or a call that needs the pack without one
        self._decided = threading.Event()  # the pack answers, or never will
        self._request: Any = None
        self._failure = ""
        self._lost = ""
        self._ended = threading.Event()
        self._stopped = False
        self._channel: Any = None
        self._pack_port = self._stands_in = 0
        self._servers: list[Any] = []
        self._relay = Relay(self._serve(), self._instead)
        self.port: int = self._relay.port

    def __enter__(self) -> Self:
        self._relay.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.fail(f"{self._what} has ended")
        if self._relay.direct and not self._stopped:
            time.sleep(LINGER_SECONDS)  # what the pack left unanswered is asked again, here
        for server in self._servers:
            server.stop(grace=LINGER_SECONDS)
        self._relay.__exit__(kind, error, trace)
        if self._channel is not None:
            self._channel.close()

    def _serve(self) -> int:
        """Answer ourselves, on one more port."""
        server = grpc.server(ThreadPoolExecutor(max_workers=64), handlers=[self], options=OPTIONS)
        port: int = server.add_insecure_port(f"{LOOPBACK}:0")
        server.start()
        self._servers.append(server)
        return port

    def _instead(self) -> int:
        """Return the port where we answer for a pack that is gone."""
        self._stands_in = self._stands_in or self._serve()
        return self._stands_in

    def give_up(self) -> None:
        """Start no pack any more: nobody listens."""
        self._stopped = True
        self._known.set()

    def wait_for_configuration(self) -> bool:
        """Wait until the pack can be started; False when it is not wanted any more."""
        self._known.wait()
        return not self._stopped

    def configuration(self) -> dict[str, str]:
        """Return the variables that a pack reads; empty when it was asked before it was configured."""
        request = self._request
        if request is None:
            return {}
        variables = {
            "PULUMI_PROJECT": request.project,
            "PULUMI_STACK": request.stack,
            "PULUMI_DRY_RUN": "true" if request.dry_run else "false",
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.config_secret_keys)),
        }
        if request.organization:
            variables["PULUMI_ORGANIZATION"] = request.organization
        return variables

    def attach(self, port: int) -> None:
        """Connect to the started pack and let it know its stack; raises `HostError`."""
        self._channel = grpc.insecure_channel(f"{LOOPBACK}:{port}", options=OPTIONS)
        if self._request is not None:
            try:
                self._call("ConfigureStack")(
                    self._request.SerializeToString(), timeout=START_SECONDS, wait_for_ready=True
                )
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNIMPLEMENTED:  # packs of today do not know it
                    raise HostError(f"{self._what} refused its configuration: {error.details()}") from None
        self._pack_port = port
        self._decided.set()

    def fail(self, text: str) -> None:
        """Let every waiting call know that the pack never answers."""
        if not self._decided.is_set():
            self._failure = text
            self._decided.set()
        self.lost(text)

    def lost(self, text: str) -> None:
        """Remember how the pack ended, for calls that it leaves unanswered."""
        self._lost = self._lost or text
        self._ended.set()

    def service(self, handler_call_details: Any) -> Any:
        """Return how a method is answered."""
        name = handler_call_details.method.removeprefix(SERVICE)
        answers = {"Handshake": self._handshake, "ConfigureStack": self._configure, "Cancel": self._cancel}
        if name in answers:
            return grpc.unary_unary_rpc_method_handler(answers[name])
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self._forward(name, request, context))

    def _handshake(self, _request: bytes, _context: Any) -> bytes:
        return analyzer_pb2.AnalyzerHandshakeResponse().SerializeToString()

    def _configure(self, request: bytes, _context: Any) -> bytes:
        if not self._known.is_set():
            self._request = analyzer_pb2.AnalyzerStackConfigureRequest.FromString(request)
            self._known.set()
        return analyzer_pb2.AnalyzerStackConfigureResponse().SerializeToString()

    def _cancel(self, request: bytes, context: Any) -> bytes:
        if not self._decided.is_set() or self._failure:
            return b""  # an Empty; a pack that does not run needs no cancelling
        return self._forward("Cancel", request, context)

    def _forward(self, name: str, request: bytes, context: Any) -> bytes:
        self._known.set()
        self._decided.wait()
        if self._failure or self._ended.is_set():
            context.abort(grpc.StatusCode.UNKNOWN, self._failure or self._lost)
        try:
            answer = bytes(self._call(name)(request))
        except grpc.RpcError as error:
            code, text = error.code(), error.details()
            if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                self._ended.wait(END_SECONDS)  # the connection breaks a moment before the process is gone
                code, text = grpc.StatusCode.UNKNOWN, self._lost or f"{self._what} died while it was asked ({text})"
            context.set_trailing_metadata(error.trailing_metadata() or ())
            context.abort(code, text)
            raise AssertionError from error  # abort has raised
        if name == LAST_OF_THE_START:
            self._step_aside()
        return answer

    def _step_aside(self) -> None:
        """Let the engine connect anew, to the pack: a server that stops says so before its last answer."""
        if not self._relay.direct:
            self._relay.direct = self._pack_port
            self._servers[0].stop(grace=END_SECONDS)

    def _call(self, name: str) -> Any:
        return self._channel.unary_unary(SERVICE + name)
