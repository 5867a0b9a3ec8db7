"""Every property that is sent exists in the SDK's schema, with a value that it lists."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.schema.store import SchemaStore
from sandbox.schema.validate import validate
from tests.components.azure.region import Built

CONTAINER_INSIGHTS = "Microsoft-ContainerInsights-Group-Default"
"""A stream that the enum of the SDK, an open one, leaves out and Azure's own templates use."""


@pytest.mark.parametrize(
    ("nat", "mode", "zones"), [("single", "private", 1), ("per_zone", "restricted", 3), ("none", "private", 3)]
)
def test_what_is_sent_is_known_to_the_sdk(
    build: Callable[..., Built], tmp_path: Path, nat: str, mode: str, zones: int
) -> None:
    schemas = SchemaStore("azure-native", tmp_path)
    failures = [
        f"{asked.typ} {asked.name} {failure.path}: {failure.reason}"
        for asked in build(nat=nat, mode=mode, zones=zones).cloud.asked
        if asked.typ.startswith("azure-native:")
        for failure in validate(schemas.get(asked.typ), asked.inputs, open_enums=False)
        if CONTAINER_INSIGHTS not in failure.reason
    ]
    assert failures == []
