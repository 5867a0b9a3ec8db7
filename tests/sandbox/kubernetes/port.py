"""The engine's side of the kubernetes port: what it sends, in the order in which it sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.wire import Properties, decode, encode
from tests.sandbox.engine import Engine, Made


class Port(Engine):
    """A provider instance; `namespace` is where its objects go."""

    def __init__(self, address: str, config: Mapping[str, Any], namespace: str) -> None:
        super().__init__(address, "kubernetes", config)
        self.address = address
        self.namespace = namespace

    def sibling(self, **options: Any) -> Port:
        """Another instance on the same cluster with other options."""
        return Port(self.address, {**(self.config or {}), **options}, self.namespace)

    def create(self, token: str, name: str, inputs: Mapping[str, Any], timeout: float = 0) -> Made:
        checked, failures = self.check(token, name, inputs)
        assert not failures, failures
        answer = self.stub.Create(
            provider_pb2.CreateRequest(
                urn=self.urn(token, name), type=token, name=name, properties=encode(checked), timeout=timeout
            )
        )
        return Made(self.urn(token, name), answer.id, checked, decode(answer.properties).values)

    def change(
        self, made: Made, inputs: Mapping[str, Any], *, preview: bool = False, ignore: tuple[str, ...] = ()
    ) -> Made:
        """Check with the old inputs, then update."""
        token, name = made.urn.split("::")[2:]
        checked, failures = self.check(token, name, inputs, made.inputs)
        assert not failures, failures
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                urn=made.urn, type=token, id=made.id, olds=encode(made.outputs), old_inputs=encode(made.inputs),
                news=encode(checked), preview=preview, ignoreChanges=ignore,
            )
        )  # fmt: skip
        return Made(made.urn, made.id, checked, decode(answer.properties).values)

    def refresh(self, made: Made) -> Made | None:
        """Read what is there now."""
        id_, inputs, outputs = self.read(made)
        return Made(made.urn, id_, inputs, outputs) if id_ else None

    def planned(self, made: Made, inputs: Mapping[str, Any]) -> Any:
        """Check with the old inputs, then diff."""
        token, name = made.urn.split("::")[2:]
        checked, failures = self.check(token, name, inputs, made.inputs)
        assert not failures, failures
        return self.diff(made, checked)

    def remove(self, made: Made, timeout: float = 0) -> None:
        """Delete."""
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                urn=made.urn, type=made.urn.split("::")[2], id=made.id, properties=encode(made.outputs), timeout=timeout
            )
        )

    def imported(self, token: str, name: str, id_: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Read by id alone."""
        answer = self.stub.Read(provider_pb2.ReadRequest(urn=self.urn(token, name), type=token, name=name, id=id_))
        return answer.id, decode(answer.inputs).values, decode(answer.properties).values

    def dry(self, token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Preview a create."""
        found: Properties = self.preview(token, name, inputs)
        return found.values


def half(error: grpc.RpcError) -> provider_pb2.ErrorResourceInitFailed:
    """Unpack a partial failure."""
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    found = provider_pb2.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(packed).details[0].Unpack(found)
    return found
