"""What stands in a namespace comes after it: an update makes objects as soon as what they depend on is there."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks

from tests.components.kubernetes.services.built import ALL, build
from tests.components.mock_cloud import Cloud


@pytest.mark.parametrize("services", [ALL, {"external_secrets": {}, "cert_manager": {}}], ids=["all", "few"])
def test_every_object_comes_after_its_namespace(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, services: dict[str, Any]
) -> None:
    asked: dict[str, Any] = {}
    register = mocks.MockMonitor.RegisterResource

    def noted(monitor: mocks.MockMonitor, request: Any) -> Any:
        answer = register(monitor, request)
        asked[answer.urn] = request
        return answer

    monkeypatch.setattr(mocks.MockMonitor, "RegisterResource", noted)
    build(cloud, services)
    wished = {urn: MessageToDict(request.object) for urn, request in asked.items()}
    made = {
        wished[urn]["metadata"]["name"]: urn
        for urn, request in asked.items()
        if request.type == "kubernetes:core/v1:Namespace"
    }
    late, seen = [], 0
    for urn, given in wished.items():
        metadata = given.get("metadata")
        namespace = (metadata if isinstance(metadata, dict) else given).get("namespace")
        if namespace not in made or not asked[urn].custom:
            continue
        seen += 1
        waits, known = [urn], {urn}
        while waits:
            new = set(asked[waits.pop()].dependencies) & asked.keys() - known
            known |= new
            waits += new
        if made[namespace] not in known:
            late.append(urn.rpartition("::")[2])
    assert seen > 3
    assert late == []
