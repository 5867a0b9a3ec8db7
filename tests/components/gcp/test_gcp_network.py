"""A region's network on Google Cloud: closed both ways, with the way out that was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from components.gcp import firewall
from tests.components.gcp import wishes
from tests.components.mock_cloud import Cloud

FIREWALL = "gcp:compute/firewall:Firewall"


def build(google: Cloud, **wish: Any) -> Cloud:
    google.run(lambda: wishes.network(wishes.account(), **wish).private_subnet_ids)
    return google


def test_one_subnet_holds_nodes_pods_and_services(google: Cloud) -> None:
    ids = google.run(lambda: wishes.network(wishes.account()).private_subnet_ids)
    plan = wishes.plan(wishes.region())
    (vpc,) = google.of_type("gcp:compute/network:Network").values()
    (subnet,) = google.of_type("gcp:compute/subnetwork:Subnetwork").values()
    assert vpc["autoCreateSubnetworks"] is False
    assert "name" not in vpc
    assert subnet["ipCidrRange"] == str(plan.nodes)
    assert {each["rangeName"]: each["ipCidrRange"] for each in subnet["secondaryIpRanges"]} == {
        "pods": str(plan.pods),
        "services": str(plan.services),
    }
    assert subnet["privateIpGoogleAccess"] is True
    assert subnet["logConfig"]["metadata"] == "INCLUDE_ALL_METADATA"
    assert ids == ["https://www.googleapis.com/compute/v1/gcp-europe-west1-network-nodes"]
    assert google.without_provider() == []


@pytest.mark.parametrize(
    ("nat", "zones", "addresses"), [("single", 3, 1), ("per_zone", 3, 3), ("per_zone", 1, 1), ("none", 3, 0)]
)
def test_the_nat_has_as_many_addresses_as_asked(google: Cloud, nat: str, zones: int, addresses: int) -> None:
    counts = build(google, nat=nat, zones=zones).counts()
    assert counts.get("gcp:compute/address:Address", 0) == addresses
    assert counts.get("gcp:compute/routerNat:RouterNat", 0) == min(addresses, 1)
    assert counts.get("gcp:dns/managedZone:ManagedZone", 0) == (0 if addresses else 3)
    assert counts["gcp:compute/route:Route"] == 1
    (route,) = google.of_type("gcp:compute/route:Route").values()
    assert route["destRange"] == ("0.0.0.0/0" if addresses else "199.36.153.8/30")


def test_the_nat_serves_the_nodes_subnet_from_its_static_addresses(google: Cloud) -> None:
    build(google, nat="per_zone")
    (nat,) = google.of_type("gcp:compute/routerNat:RouterNat").values()
    assert nat["natIpAllocateOption"] == "MANUAL_ONLY"
    assert len(nat["natIps"]) == len(set(nat["natIps"])) == 3
    assert nat["subnetworks"] == [
        {
            "name": "https://www.googleapis.com/compute/v1/gcp-europe-west1-network-nodes",
            "sourceIpRangesToNats": ["ALL_IP_RANGES"],
        }
    ]


def test_everything_is_denied_last_and_logged(google: Cloud) -> None:
    rules = build(google).of_type(FIREWALL)
    denials = {rule["direction"]: rule for rule in rules.values() if "denies" in rule}
    assert set(denials) == {"INGRESS", "EGRESS"}
    assert denials["INGRESS"]["sourceRanges"] == denials["EGRESS"]["destinationRanges"] == ["0.0.0.0/0"]
    assert {rule["priority"] for rule in denials.values()} == {65534}
    assert all(rule["denies"] == [{"protocol": "all"}] for rule in denials.values())
    assert all(rule["logConfig"] == {"metadata": "INCLUDE_ALL_METADATA"} for rule in rules.values())
    assert all("enableLogging" not in rule for rule in rules.values())  # deprecated, and conflicts


def test_nothing_is_allowed_in_from_the_world(google: Cloud) -> None:
    rules = build(google).of_type(FIREWALL).values()
    allowed = [rule for rule in rules if "allows" in rule and rule["direction"] == "INGRESS"]
    assert all("0.0.0.0/0" not in rule["sourceRanges"] for rule in allowed)
    assert all(len({"sourceRanges", "destinationRanges"} & rule.keys()) == 1 for rule in rules)


def test_only_a_nat_opens_the_internet() -> None:
    plan = wishes.plan(wishes.region())
    closed = firewall.rules(plan, internet=False)
    assert not [rule for rule in closed if rule.allow and firewall.WORLD in rule.ranges]
    (opened,) = set(firewall.rules(plan, internet=True)) - set(closed)
    assert opened.protocols == (("tcp", ("443",)),)


def test_without_a_nat_google_s_names_lead_to_private_addresses(google: Cloud) -> None:
    build(google, nat="none")
    records = google.of_type("gcp:dns/recordSet:RecordSet")
    assert {record["name"]: record["type"] for record in records.values()} == {
        "private.googleapis.com.": "A",
        "*.googleapis.com.": "CNAME",
        "pkg.dev.": "A",
        "*.pkg.dev.": "CNAME",
        "gcr.io.": "A",
        "*.gcr.io.": "CNAME",
    }
    zones = google.of_type("gcp:dns/managedZone:ManagedZone").values()
    assert {zone["visibility"] for zone in zones} == {"private"}


def test_names_leave_room_for_the_provider_s_suffix(google: Cloud) -> None:
    build(google, nat="per_zone")
    assert max(len(asked.name) for asked in google.asked) <= 63 - 8
