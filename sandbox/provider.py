"""The engine's side: the ResourceProvider service of one package."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.asked import Asked
from sandbox.cloud import Difference
from sandbox.connection import Connection
from sandbox.errors import Failure, Refused, Uninitialised
from sandbox.kubernetes.inputs import pruned
from sandbox.schema.tokens import version
from sandbox.state import Thing
from sandbox.wire import Path, Properties, carry, decode, encode, show

MARK = "ecosystemSandbox"
"""Input that every provider of the stage carries; a policy refuses it in any real backend."""

_log = logging.getLogger("sandbox")


class Behaviour(Protocol):
    """What a package must be able to do; `sandbox.cloud.Cloud` and the kubernetes provider are the two."""

    def check(
        self, asked: Asked, olds: dict[str, Any], news: dict[str, Any], random: bytes, proposed: str | None
    ) -> tuple[dict[str, Any], list[Failure]]: ...
    def diff(self, asked: Asked, old_inputs: dict[str, Any], news: dict[str, Any], ignore: list[str]) -> Difference: ...
    def create(
        self, asked: Asked, inputs: dict[str, Any], connection: Connection, *, preview: bool
    ) -> tuple[str, dict[str, Any]]: ...
    def update(  # noqa: PLR0913 - the parts belong together
        self,
        asked: Asked,
        id_: str,
        olds: dict[str, Any],
        news: dict[str, Any],
        connection: Connection,
        *,
        preview: bool,
    ) -> dict[str, Any]: ...
    def read(
        self, asked: Asked, id_: str, connection: Connection, old_inputs: dict[str, Any], state: dict[str, Any]
    ) -> Thing | None: ...
    def delete(self, asked: Asked, id_: str, connection: Connection, state: dict[str, Any]) -> None: ...


class Door(Protocol):
    """What stands between the engine and a cloud: identity, faults, retries."""

    def connect(self, connection: Connection) -> None: ...
    def call(self, connection: Connection, operation: str, asked: Asked, do: Callable[[], Any]) -> Any: ...
    def invoke(self, connection: Connection, token: str, args: dict[str, Any]) -> dict[str, Any]: ...
    def check_config(self, inputs: dict[str, Any]) -> list[Failure]: ...
    def diff_config(self, olds: dict[str, Any], news: dict[str, Any]) -> Difference | None: ...


def _answer(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn refusals into statuses, and anything unforeseen into one that names the place."""

    @functools.wraps(function)
    def wrapped(self: Provider, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return function(self, request, context)
        except Refused as refused:
            context.abort(refused.status, str(refused))
        except Uninitialised as half:
            half.id = half.id or request.id
            _abort_half(context, half)
        except Exception as problem:
            if not context.is_active() or type(problem) is Exception:
                raise
            _log.exception("%s %s", function.__name__, getattr(request, "urn", ""))
            context.abort(
                grpc.StatusCode.INTERNAL, f"sandbox: {function.__name__}: {type(problem).__name__}: {problem}"
            )

    return wrapped


def _abort_half(context: grpc.ServicerContext, half: Uninitialised) -> None:
    detail = any_pb2.Any()
    detail.Pack(
        provider_pb2.ErrorResourceInitFailed(
            id=half.id, properties=encode(half.outputs), inputs=encode(half.inputs), reasons=half.reasons
        )
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message="; ".join(half.reasons), details=[detail])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, "; ".join(half.reasons))


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves many provider instances on one port; a peer is one instance."""

    def __init__(self, package: str, behaviour: Behaviour, door: Door) -> None:
        """Serve a package; `behaviour` is its cloud, `door` what stands before it."""
        self.package = package
        self.behaviour = behaviour
        self.door = door
        self.connections: dict[str, Connection] = {}
        self._lock = threading.Lock()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the service's signature
        """Answer the version of the SDK that is installed."""
        return plugin_pb2.PluginInfo(version=version(self.package))

    def _not_served(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002 - the service's signature
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the stand-in of {self.package} does not do this")

    Handshake = Parameterize = GetSchema = GetMapping = GetMappings = Call = Construct = List = _not_served

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - the service's signature
        """Accept the engine."""
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802 - the service's signature
        """Forget the instance; the server serves on."""
        with self._lock:
            connection = self.connections.pop(context.peer(), None)
        if connection is not None:
            connection.cancelled = True
        return empty_pb2.Empty()

    @_answer
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802 - the service's signature
        """Accept a configuration and mark it as that of the stage."""
        news = decode(request.news)
        failures = self.door.check_config(news.values)
        news.values[MARK] = "offline"
        return provider_pb2.CheckResponse(inputs=encode(news.values, news.secrets), failures=_failures(failures))

    @_answer
    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: ARG002, N802 - the service's signature
        """Compare configurations; the mark never counts."""
        olds = decode(request.old_inputs if request.HasField("old_inputs") else request.olds).values
        news = decode(request.news).values
        for side in (olds, news):
            side.pop(MARK, None)
        found = self.door.diff_config(olds, news)
        return _diff(found) if found else provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    @_answer
    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Remember the configuration of this instance."""
        connection = Connection(context.peer(), self.package, decode(request.args).values)
        self.door.connect(connection)
        with self._lock:
            self.connections[context.peer()] = connection
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def _connection(self, context: grpc.ServicerContext) -> Connection:
        connection = self.connections.get(context.peer())
        if connection is None:
            raise Refused("", f"the {self.package} provider is not configured", grpc.StatusCode.FAILED_PRECONDITION)
        return connection

    @_answer
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Answer a look-up."""
        connection = self._connection(context)
        args = decode(request.args).values
        asked = Asked("", request.tok, "")
        answer = self.door.call(connection, "invoke", asked, lambda: self.door.invoke(connection, request.tok, args))
        return provider_pb2.InvokeResponse(**dict[str, Any]({"return": encode(answer)}))

    @_answer
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Judge the inputs of a resource."""
        connection = self._connection(context)
        news = decode(request.news)
        olds = decode(request.olds).values if request.HasField("olds") else {}
        proposed = None
        if request.HasField("autonaming"):
            proposed = request.autonaming.proposed_name or None
        asked = _asked(request, connection)
        inputs, failures = self.behaviour.check(asked, olds, news.values, request.randomSeed, proposed)
        secrets = self._carried(news.secrets)
        return provider_pb2.CheckResponse(inputs=encode(inputs, secrets), failures=_failures(failures))

    def _carried(self, secrets: frozenset[Path]) -> frozenset[Path]:
        """Follow secrets to where a behaviour moves or copies them."""
        if not secrets:
            return secrets
        if self.package != "kubernetes":
            return secrets | {(copy, *path[1:]) for path in secrets if path for copy in COPIES.get(path[0], ())}
        moved = {("data",) if path[0] == "stringData" else path for path in secrets}
        return frozenset(moved | {("__inputs", *path) for path in moved})

    @_answer
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Compare old and new inputs."""
        connection = self._connection(context)
        olds = decode(request.old_inputs if request.HasField("old_inputs") else request.olds).values
        if self.package == "kubernetes":
            olds = pruned(decode(request.olds).values, olds)  # the last live object decides
        news = decode(request.news).values
        return _diff(self.behaviour.diff(_asked(request, connection), olds, news, list(request.ignoreChanges)))

    @_answer
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Make a resource."""
        connection = self._connection(context)
        asked, inputs = _asked(request, connection), decode(request.properties)

        def do() -> tuple[str, dict[str, Any]]:
            return self.behaviour.create(asked, inputs.values, connection, preview=request.preview)

        id_, outputs = do() if request.preview else self.door.call(connection, "create", asked, do)
        return provider_pb2.CreateResponse(
            id=id_, properties=encode(outputs, carry(self._carried(inputs.secrets), outputs))
        )

    @_answer
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Look at what is there now; an empty id says that it is gone."""
        connection = self._connection(context)
        asked = _asked(request, connection)
        inputs, state = decode(request.inputs), decode(request.properties)
        thing: Thing | None = self.door.call(
            connection,
            "read",
            asked,
            lambda: self.behaviour.read(asked, request.id, connection, inputs.values, state.values),
        )
        if thing is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=thing.id,
            properties=encode(thing.outputs, carry(state.secrets | self._carried(inputs.secrets), thing.outputs)),
            inputs=encode(thing.inputs, inputs.secrets),
        )

    @_answer
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Change a resource in place."""
        connection = self._connection(context)
        asked = _asked(request, connection)
        olds, news = decode(request.olds), decode(request.news)

        def do() -> dict[str, Any]:
            return self.behaviour.update(
                asked, request.id, olds.values, news.values, connection, preview=request.preview
            )

        outputs = do() if request.preview else self.door.call(connection, "update", asked, do)
        return provider_pb2.UpdateResponse(
            properties=encode(outputs, carry(self._carried(news.secrets) | _still(olds, outputs), outputs))
        )

    @_answer
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """Delete a resource."""
        connection = self._connection(context)
        asked = _asked(request, connection)
        state = decode(request.properties).values
        self.door.call(connection, "delete", asked, lambda: self.behaviour.delete(asked, request.id, connection, state))
        return empty_pb2.Empty()


COPIES: Final[dict[Any, tuple[str, ...]]] = {"tags": ("tagsAll",), "labels": ("effectiveLabels", "pulumiLabels")}
"""Inputs that the vendors' providers give back once more under another name."""


def _still(olds: Properties, outputs: dict[str, Any]) -> frozenset[Path]:
    """Secret outputs that were kept are still secret."""
    return frozenset(path for path in olds.secrets if path and path[0] in outputs)


def _asked(request: Any, connection: Connection) -> Asked:
    kind, _, name = request.urn.split("::", 2)[2].rpartition("::")
    return Asked(
        request.urn,
        request.type or kind.rpartition("$")[2],
        request.name or name,
        timeout=getattr(request, "timeout", 0.0),
        ignore=tuple(getattr(request, "ignoreChanges", ())),
        connection=connection,
    )


def _failures(failures: list[Failure]) -> list[Any]:
    """Write the path into the text: given apart, the engine would print the whole value, secrets too."""
    return [
        provider_pb2.CheckFailure(property="", reason=f"{item.path}: {item.reason}" if item.path else item.reason)
        for item in failures
    ]


_KINDS = {"add": 0, "delete": 2, "update": 4}


def _diff(found: Difference) -> Any:
    detailed = {
        show(path): provider_pb2.PropertyDiff(kind=_KINDS[change] + (path in found.replaces), inputDiff=True)  # type: ignore[arg-type]
        for path, change in found.changes.items()
    }
    some = provider_pb2.DiffResponse.DIFF_SOME if detailed else provider_pb2.DiffResponse.DIFF_NONE
    return provider_pb2.DiffResponse(
        changes=some,
        replaces=sorted(show(path) for path in found.replaces),
        diffs=sorted({str(path[0]) for path in found.changes}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=found.delete_first,
    )
