"""What the program marks as secret stays marked in everything the port answers."""

from __future__ import annotations

from pulumi.runtime.proto import provider_pb2

from sandbox.wire import decode, encode
from tests.sandbox.kubernetes.objects import SECRET, named
from tests.sandbox.kubernetes.port import Port


def test_a_secrets_marks_follow_its_data(schema_port: Port) -> None:
    urn, hidden = schema_port.urn(SECRET, "s"), frozenset({("stringData",)})
    news = encode(named("s", stringData={"k": "canary"}), hidden)
    seed = b"0" * 32
    checked = schema_port.stub.Check(
        provider_pb2.CheckRequest(urn=urn, type=SECRET, name="s", news=news, randomSeed=seed)
    )
    assert decode(checked.inputs).secrets == {("data",)}

    made = schema_port.stub.Create(
        provider_pb2.CreateRequest(urn=urn, type=SECRET, name="s", properties=checked.inputs)
    )
    assert decode(made.properties).secrets == {("data",), ("__inputs", "data")}

    seen = schema_port.stub.Read(
        provider_pb2.ReadRequest(
            urn=urn, type=SECRET, name="s", id=made.id, properties=made.properties, inputs=checked.inputs
        )
    )
    assert decode(seen.properties).secrets >= {("data",), ("__inputs", "data")}
    assert decode(seen.inputs).secrets == {("data",)}
    assert b"canary" not in seen.SerializeToString()
