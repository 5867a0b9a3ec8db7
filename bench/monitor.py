"""A stand-in engine for measuring the program alone: it answers at once or after a fixed latency, and counts.

`python -m bench.monitor` reads one JSON object per line: `{"latency": SECONDS, "record": bool}` opens a stage and is
answered by `{"port": N}`; `null` closes it and is answered by what was counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    resource_pb2,
    resource_pb2_grpc,
)

from bench import answers

SIZING: Final = "pulumi-python:dynamic/sizing:Sizing"
SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
SIZE: Final = [("grpc.max_receive_message_length", 1 << 29), ("grpc.max_send_message_length", 1 << 29)]

PLANS: dict[str, dict[str, Any]] = {}
"""Plans by the hash of their problems: solved once, because only the program is measured."""

SOLVER: Final = ThreadPoolExecutor(1)
"""One thread for good: Qiskit ends the process when the thread that loaded it has ended and another makes a circuit."""


def plain(value: Any) -> Any:
    """Return a wire value as the engine answers it: outputs become their values."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == OUTPUT:
        return plain(value.get("value"))
    return {key: plain(item) for key, item in value.items()}


def planned(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return what the dynamic provider adds to the problems."""
    from sizing.evidence import sizing_outputs  # noqa: PLC0415 - only a stage with the sizing resource needs it

    key = hashlib.sha256(inputs["problems"].encode()).hexdigest()
    if key not in PLANS:
        PLANS[key] = sizing_outputs(inputs["problems"], None)
    return PLANS[key]


class Stage(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """One run's monitor and engine."""

    def __init__(self, latency: float, *, record: bool) -> None:
        self.latency = latency
        self.record = record
        self.counted: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.errors: list[str] = []
        self.recorded: list[dict[str, Any]] = []
        self.providers: set[str] = set()
        self.root = ""

    async def SupportsFeature(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol says it so
        """Say yes to all, as the engine does."""
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    async def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol says it so
        """Answer with the inputs, an id and what the cloud computes."""
        self.counted["registrations"] += 1
        self.counted["aliases"] += len(request.aliases)
        self.kinds[request.type] += 1
        sent = json_format.MessageToDict(request.object)
        inputs = plain(sent)
        self._note(request, inputs)
        if request.type == SIZING:
            try:
                inputs |= await asyncio.get_running_loop().run_in_executor(SOLVER, planned, inputs)
            except Exception as error:  # noqa: BLE001 - the program must end with the reason
                await context.abort(grpc.StatusCode.UNKNOWN, f"sizing: {error}")
        found = inputs | answers.outputs(request.type, request.name, inputs) if request.custom else inputs
        await asyncio.sleep(self.latency)
        return resource_pb2.RegisterResourceResponse(
            urn=self._urn(request),
            id=answers.identity(request.type, request.name) if request.custom else "",
            object=json_format.ParseDict(found, struct_pb2.Struct()),
        )

    def _urn(self, request: Any) -> str:
        above = request.parent.split("::")[2] if request.parent else ""
        kind = f"{above}${request.type}" if above and above != "pulumi:pulumi:Stack" else request.type
        return f"urn:pulumi:bench::cloud-ecosystem::{kind}::{request.name}"

    def _note(self, request: Any, inputs: dict[str, Any]) -> None:
        if request.type.startswith("pulumi:providers:"):
            self.providers.add(f"{request.type.removeprefix('pulumi:providers:')} {request.name}")
        if self.record and request.custom:
            self.recorded.append(
                {
                    "type": request.type,
                    "name": request.name,
                    "inputs": inputs,
                    "provider": request.provider.split("::")[3] if request.provider else "",
                }
            )

    async def RegisterResourceOutputs(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol says it so
        """Take a component's outputs."""
        self.counted["outputs"] += 1
        return empty_pb2.Empty()

    async def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol says it so
        """Answer a look-up from the table."""
        self.counted["look-ups"] += 1
        answer = answers.LOOK_UPS.get(request.tok)
        if answer is None:
            await context.abort(grpc.StatusCode.UNKNOWN, f"no answer for {request.tok}: add it to bench/answers.py")
            raise AssertionError
        await asyncio.sleep(self.latency)
        found = answer(plain(json_format.MessageToDict(request.args)))
        made = provider_pb2.InvokeResponse()
        json_format.ParseDict(found, getattr(made, "return"))  # a keyword of Python
        return made

    async def SignalAndWaitForShutdown(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol says it so
        """Let the program go."""
        return empty_pb2.Empty()

    async def Log(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol says it so
        """Count, and keep errors."""
        self.counted["logs"] += 1
        if request.severity >= engine_pb2.WARNING:
            self.errors.append(request.message)
        return empty_pb2.Empty()

    async def GetRootResource(self, _request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol says it so
        """Return the stack's URN."""
        return engine_pb2.GetRootResourceResponse(urn=self.root)

    async def SetRootResource(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol says it so
        """Keep the stack's URN."""
        self.root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def summary(self) -> dict[str, Any]:
        """Return what was counted, as JSON."""
        return {
            **{key: self.counted[key] for key in ("registrations", "aliases", "look-ups", "logs", "outputs")},
            "kinds": dict(self.kinds),
            "providers": sorted(self.providers),
            "errors": self.errors,
            "recorded": self.recorded,
        }


async def serve() -> None:
    """Open and close stages as standard input tells."""
    loop = asyncio.get_running_loop()
    server: Any = None
    stage: Stage | None = None
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        if asked is None and stage is not None:
            await server.stop(0)
            answer = stage.summary()
        else:
            stage = Stage(asked["latency"], record=asked["record"])
            server = grpc.aio.server(options=SIZE)
            resource_pb2_grpc.add_ResourceMonitorServicer_to_server(stage, server)
            engine_pb2_grpc.add_EngineServicer_to_server(stage, server)
            answer = {"port": server.add_insecure_port("127.0.0.1:0")}
            await server.start()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(serve())
