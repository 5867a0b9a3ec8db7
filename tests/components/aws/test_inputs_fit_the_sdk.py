"""Every input of every resource is one that the SDK's schema knows, of its type."""

from __future__ import annotations

from typing import Any

import pytest

from components.aws.cluster import Cluster
from components.grants import Holder
from sandbox.schema.store import SchemaStore
from sandbox.schema.validate import validate
from tests.components.aws.test_cluster import build
from tests.components.mock_cloud import Cloud

KARPENTER = Holder("karpenter", "karpenter")


@pytest.mark.parametrize(
    "more",
    [{}, {"protect": True, "zones": 1, "then": lambda cluster: cluster.launching_for(KARPENTER)}],
    ids=["plain", "protected with overflow"],
)
def test_no_input_is_unknown_to_the_sdk(cloud: Cloud, more: dict[str, Any]) -> None:
    assert isinstance(build(cloud, **more), Cluster)
    schemas = SchemaStore("aws")
    found = [
        f"{asked.typ} {asked.name}: {failure}"
        for asked in cloud.asked
        if asked.typ.startswith("aws:")
        for failure in validate(schemas.get(asked.typ), asked.inputs)
    ]
    assert found == []
