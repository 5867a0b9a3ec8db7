"""A small engine for tests: speaks to one port as the real one does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.wire import Properties, decode, encode

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "aws": {"region": "eu-west-1", "allowedAccountIds": '["123456789012"]'},
    "gcp": {"project": "example-dev"},
    "azure-native": {
        "subscriptionId": "00000000-0000-0000-0000-000000000001",
        "tenantId": "00000000-0000-0000-0000-00000000000a",
    },
    "cloudflare": {"apiToken": "x"},
    "kubernetes": {},
}


@dataclass
class Made:
    """A resource that was created through the wire."""

    urn: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@dataclass
class Engine:
    """One provider instance over a connection of its own."""

    address: str
    package: str
    config: Mapping[str, Any] | None = None
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.channel = grpc.insecure_channel(self.address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)  # type: ignore[no-untyped-call]
        config = CONFIGURATIONS[self.package] if self.config is None else dict(self.config)
        checked = self.stub.CheckConfig(provider_pb2.CheckRequest(urn="u", news=encode(config)))
        assert not checked.failures, checked.failures
        self.marked = decode(checked.inputs).values
        self.stub.Configure(provider_pb2.ConfigureRequest(args=checked.inputs, acceptSecrets=True))

    def close(self) -> None:
        self.stub.Cancel(empty_pb2.Empty())
        self.channel.close()

    @staticmethod
    def urn(token: str, name: str) -> str:
        return f"urn:pulumi:test::stage::{token}::{name}"

    def check(
        self, token: str, name: str, inputs: Mapping[str, Any], olds: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        answer = self.stub.Check(
            provider_pb2.CheckRequest(
                urn=self.urn(token, name), type=token, name=name, news=encode(inputs),
                olds=encode(olds) if olds is not None else None, randomSeed=name.encode().ljust(32, b"0"),
            )
        )  # fmt: skip
        return decode(answer.inputs).values, [failure.reason for failure in answer.failures]

    def create(self, token: str, name: str, inputs: Mapping[str, Any]) -> Made:
        checked, failures = self.check(token, name, inputs)
        assert not failures, failures
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=self.urn(token, name), type=token, name=name, properties=encode(checked))
        )
        return Made(self.urn(token, name), answer.id, checked, decode(answer.properties).values)

    def preview(self, token: str, name: str, inputs: Mapping[str, Any]) -> Properties:
        checked, failures = self.check(token, name, inputs)
        assert not failures, failures
        answer = self.stub.Create(
            provider_pb2.CreateRequest(
                urn=self.urn(token, name), type=token, name=name, properties=encode(checked), preview=True
            )
        )
        assert answer.id == ""
        return decode(answer.properties)

    def diff(self, made: Made, inputs: Mapping[str, Any]) -> Any:
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                urn=made.urn, type=made.urn.split("::")[2], id=made.id, olds=encode(made.outputs),
                old_inputs=encode(made.inputs), news=encode(inputs),
            )
        )  # fmt: skip

    def update(self, made: Made, inputs: Mapping[str, Any], *, preview: bool = False) -> dict[str, Any]:
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                urn=made.urn, type=made.urn.split("::")[2], id=made.id, olds=encode(made.outputs),
                old_inputs=encode(made.inputs), news=encode(inputs), preview=preview,
            )
        )  # fmt: skip
        return decode(answer.properties).values

    def read(self, made: Made) -> tuple[str, dict[str, Any], dict[str, Any]]:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                urn=made.urn, type=made.urn.split("::")[2], id=made.id, properties=encode(made.outputs),
                inputs=encode(made.inputs),
            )
        )  # fmt: skip
        return answer.id, decode(answer.inputs).values, decode(answer.properties).values

    def delete(self, made: Made) -> None:
        self.stub.Delete(provider_pb2.DeleteRequest(urn=made.urn, type=made.urn.split("::")[2], id=made.id))

    def invoke(self, token: str, **args: Any) -> dict[str, Any]:
        return decode(
            getattr(self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(args))), "return")
        ).values
