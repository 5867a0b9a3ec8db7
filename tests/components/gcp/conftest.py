"""What Google Cloud computes, added to the mock cloud."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime import MockResourceArgs
from pulumi.runtime.mocks import MockMonitor

from tests.components.mock_cloud import Cloud

COMPUTE = (
    "gcp:compute/network:Network",
    "gcp:compute/subnetwork:Subnetwork",
    "gcp:compute/address:Address",
)


def self_link(args: MockResourceArgs) -> dict[str, Any]:
    """Give a resource of Compute Engine the address by which others name it."""
    return {"selfLink": f"https://www.googleapis.com/compute/v1/{args.name}"}


@pytest.fixture
def google(cloud: Cloud) -> Cloud:
    """Return the mock cloud with Google's self links and service accounts."""
    cloud.computed |= dict.fromkeys(COMPUTE, self_link)
    cloud.computed["gcp:serviceaccount/account:Account"] = lambda args: {
        "email": f"{args.inputs['accountId']}@example-prod.iam.gserviceaccount.com",
        "member": f"serviceAccount:{args.inputs['accountId']}@example-prod.iam.gserviceaccount.com",
    }
    cloud.computed["gcp:projects/serviceIdentity:ServiceIdentity"] = {
        "member": "serviceAccount:service-100000000000@container-engine-robot.iam.gserviceaccount.com"
    }
    return cloud


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the engine's registration requests by logical name: they hold the options, which mocks do not show."""
    requests: dict[str, Any] = {}
    register = MockMonitor.RegisterResource

    def remember(monitor: MockMonitor, request: Any) -> Any:
        requests[request.name] = request
        return register(monitor, request)

    monkeypatch.setattr(MockMonitor, "RegisterResource", remember)
    return requests
