"""What exists once per Google project."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.gcp.account import SERVICES, account_of, members
from tests.components.gcp import wishes
from tests.components.mock_cloud import Cloud


def test_types_and_counts(google: Cloud) -> None:
    google.run(lambda: wishes.account(deployers=("group:ops@example.org", "arn:aws:iam::1:role/x")).project)
    assert google.counts() == {
        "ecosystem:gcp:Account": 1,
        "pulumi:providers:gcp": 1,
        "gcp:projects/service:Service": len(SERVICES),
        "gcp:projects/iAMAuditConfig:IAMAuditConfig": 1,
        "gcp:projects/serviceIdentity:ServiceIdentity": 1,
        "gcp:binaryauthorization/policy:Policy": 1,
        "gcp:projects/iAMMember:IAMMember": 1,
    }
    assert google.without_provider() == []


def test_every_access_is_logged_and_no_service_is_turned_off(google: Cloud) -> None:
    google.run(lambda: wishes.account().project)
    (audit,) = google.of_type("gcp:projects/iAMAuditConfig:IAMAuditConfig").values()
    assert audit["service"] == "allServices"
    assert [log["logType"] for log in audit["auditLogConfigs"]] == ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]
    services = google.of_type("gcp:projects/service:Service").values()
    assert {service["disableOnDestroy"] for service in services} == {False}


def test_images_of_others_are_denied(google: Cloud) -> None:
    google.run(lambda: wishes.account(images=("registry.example.org/**",)).project)
    (policy,) = google.of_type("gcp:binaryauthorization/policy:Policy").values()
    assert policy["defaultAdmissionRule"] == {
        "evaluationMode": "ALWAYS_DENY",
        "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
    }
    assert [pattern["namePattern"] for pattern in policy["admissionWhitelistPatterns"]] == [
        "europe-west1-docker.pkg.dev/example-prod/**",
        "registry.example.org/**",
    ]


def test_another_number_is_refused_before_anything_is_created(google: Cloud) -> None:
    with pytest.raises(Exception, match=r"clouds\.gcp\.project_number: example-prod has the number 100000000000"):
        google.run(lambda: wishes.account(project_number="200000000000").project)
    assert set(google.counts()) <= {"ecosystem:gcp:Account", "pulumi:providers:gcp"}


def test_the_number_names_the_agents(google: Cloud) -> None:
    agents = google.run(lambda: pulumi.Output.all((owner := wishes.account()).compute_agent, owner.container_agent))
    assert agents[0] == "serviceAccount:service-100000000000@compute-system.iam.gserviceaccount.com"
    assert agents[1].endswith("@container-engine-robot.iam.gserviceaccount.com")


def test_members_are_google_s_only() -> None:
    assert members(
        (
            "arn:aws:iam::123456789012:role/deployer",
            "00000000-0000-0000-0000-0000000000b1",
            "user:ada@example.org",
            "ci@example-prod.iam.gserviceaccount.com",
            "platform@example.org",
        )
    ) == (
        "user:ada@example.org",
        "serviceAccount:ci@example-prod.iam.gserviceaccount.com",
        "group:platform@example.org",
    )


def test_the_provider_adds_no_labels_of_its_own(google: Cloud) -> None:
    google.run(lambda: wishes.account().project)
    (provider,) = google.of_type("pulumi:providers:gcp").values()
    assert provider["project"] == provider["billingProject"] == "example-prod"
    assert provider["addPulumiAttributionLabel"] == "false"
    assert "defaultLabels" not in provider


@pytest.mark.parametrize("protect", [True, False])
def test_protection_covers_the_audit_configuration(
    google: Cloud,
    options: dict[str, Any],
    protect: bool,  # noqa: FBT001
) -> None:
    google.run(lambda: wishes.account(protect=protect).project)
    assert options["gcp-audit"].protect is protect


def test_a_component_without_an_account_says_so() -> None:
    with pytest.raises(TypeError, match=r"provider=account\.provider"):
        account_of(None)
