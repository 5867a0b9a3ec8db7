"""Rules of Google that a table cannot hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import grpc

from sandbox.behaviour.rules import Moment, check, create
from sandbox.behaviour.rules_aws import network
from sandbox.behaviour.versions import GKE, gcp_zones, minor
from sandbox.errors import Failure, Refused
from sandbox.paths import first
from sandbox.wire import is_unknown

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_API_OF = {"compute": "compute", "container": "container", "kms": "cloudkms", "dns": "dns",
           "binaryauthorization": "binaryauthorization", "serviceaccount": "iam", "billing": "billingbudgets",
           "sql": "sqladmin"}  # fmt: skip


_AGENTS = {"container": "container-engine-robot", "compute": "compute-system", "sqladmin": "gcp-sa-cloud-sql",
           "storage": "gs-project-accounts", "redis": "cloud-redis"}  # fmt: skip


@create
def gcp_agent(moment: Moment) -> None:
    """A service agent's address is made of the project's number and the service."""
    service = str(moment.inputs.get("service") or "").partition(".")[0]
    account = _AGENTS.get(service, f"gcp-sa-{service}")
    moment.seed.facts["agent"] = f"service-{moment.seed.facts['number']}@{account}.iam.gserviceaccount.com"


@create
def gcp_api_enabled(moment: Moment) -> None:
    """An API must be enabled in the project, once the program manages APIs at all."""
    project = moment.seed.facts["project"]
    enabled = {
        str(thing.inputs.get("service"))
        for thing in moment.database.find("type=? AND scope=?", ("gcp:projects/service:Service", moment.scope))
        if thing.inputs.get("project", project) == project
    }
    part = moment.type.split(":")[1].partition("/")[0]
    service = str(moment.inputs.get("service") or "") or f"{_API_OF.get(part, part)}.googleapis.com"
    if enabled and service not in enabled:
        raise Refused(
            "accessNotConfigured",
            f"{service} has not been used in project {moment.seed.facts['number']} before or it is disabled. Enable it "
            "then retry.",
            grpc.StatusCode.PERMISSION_DENIED,
        )


@create
def gcp_member_exists(moment: Moment) -> None:
    """A service account of this project that is given a role exists."""
    member = str(moment.inputs.get("member") or "")
    project = moment.seed.facts["project"]
    if member.endswith(f"@{project}.iam.gserviceaccount.com") and not moment.database.by_handle(
        ("gcp:serviceaccount/account:Account",), member
    ):
        address = member.partition(":")[2]
        raise Refused("badRequest", f"Service account {address} does not exist.", _INVALID)


@create
def gcp_subnet_fits(moment: Moment) -> None:
    """Primary and secondary ranges overlap no other of the network."""
    own = [("ipCidrRange", moment.inputs.get("ipCidrRange"))]
    own += [
        (str(item.get("rangeName")), item.get("ipCidrRange")) for item in moment.inputs.get("secondaryIpRanges") or ()
    ]
    taken = []
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        if other.inputs.get("network") == moment.inputs.get("network"):
            taken.append((other.id, other.inputs.get("ipCidrRange")))
            taken += [(other.id, item.get("ipCidrRange")) for item in other.inputs.get("secondaryIpRanges") or ()]
    for index, (key, text) in enumerate(own):
        block = network(text)
        if block is None:
            raise Refused(
                "invalid",
                f"Invalid value for field 'resource.{key}': '{text}'. Must be a CIDR address range.",
                _INVALID,
            )
        for where, other_text in [*taken, *own[:index]]:
            other_block = network(other_text)
            if other_block and other_block.overlaps(block):
                raise Refused("badRequest", f"Invalid IPCidrRange: {block} conflicts with existing subnetwork '{where}' in "  # noqa: E501 - one message, one line
                              f"region '{moment.region}'.", _INVALID)  # fmt: skip
    block = network(own[0][1])
    if block:
        moment.seed.facts["gateway"] = str(block[1])


@check
def gcp_nat(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Choices of a NAT that exclude or demand each other."""
    if inputs.get("enableDynamicPortAllocation") is True and inputs.get("enableEndpointIndependentMapping") is True:
        yield Failure(
            "enableDynamicPortAllocation", "Endpoint-independent mapping must be off with dynamic port allocation"
        )
    if (
        inputs.get("natIpAllocateOption") == "MANUAL_ONLY"
        and not inputs.get("natIps")
        and not inputs.get("initialNatIps")
    ):
        yield Failure("natIps", "must be given when natIpAllocateOption is MANUAL_ONLY")
    listed = inputs.get("sourceSubnetworkIpRangesToNat") == "LIST_OF_SUBNETWORKS"
    if listed != bool(inputs.get("subnetworks")):
        yield Failure(
            "subnetworks", "must be given when, and only when, sourceSubnetworkIpRangesToNat is LIST_OF_SUBNETWORKS"
        )


@check
def gcp_firewall(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Sources belong to ingress and destinations to egress."""
    egress = inputs.get("direction") == "EGRESS"
    if egress:
        for key in ("sourceRanges", "sourceTags", "sourceServiceAccounts"):
            if inputs.get(key):
                yield Failure(key, "must not be set for an EGRESS rule")
    elif not any(inputs.get(key) for key in ("sourceRanges", "sourceTags", "sourceServiceAccounts")):
        yield Failure(
            "sourceRanges",
            "one of source_tags, source_ranges, or source_service_accounts must be defined when a firewall direction is INGRESS",  # noqa: E501 - one message, one line
        )
    for key in ("sourceRanges", "destinationRanges"):
        for index, text in enumerate(inputs.get(key) or () if isinstance(inputs.get(key), list) else ()):
            if isinstance(text, str) and not is_unknown(text) and ":" not in text and network(text) is None:
                yield Failure(f"{key}[{index}]", f"{text!r} is not a CIDR block without host bits")


@check
def gcp_durations(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Durations are written in seconds: at least a day between rotations."""
    for key in ("rotationPeriod", "destroyScheduledDuration"):
        text = inputs.get(key)
        if isinstance(text, str) and not is_unknown(text):
            found = re.fullmatch(r"(\d+(?:\.\d+)?)s", text)
            if not found or float(found.group(1)) < 86400:  # noqa: PLR2004 - a day
                yield Failure(key, f"{text!r} must be a number of seconds with the suffix s, at least 86400s")


@create
def gcp_record_in_zone(moment: Moment) -> None:
    """A record's name ends with the zone's."""
    zones = moment.found.get("managedZone")
    domain = str(zones[0].inputs.get("dnsName")) if zones else ""
    name = str(moment.inputs.get("name"))
    if domain and not (name == domain or name.endswith(f".{domain}")):
        raise Refused("invalid", f"Invalid value for 'entity.rrset.name': '{name}'", _INVALID)


@create
def gcp_cluster_version(moment: Moment) -> None:
    """The version is offered; the control plane goes up one minor at a time and never down."""
    wanted = moment.inputs.get("minMasterVersion")
    version = str(wanted) if wanted and wanted != "latest" else f"{GKE[-2]}"
    short = ".".join(map(str, minor(version)))
    if short not in GKE:
        raise Refused("badRequest", f'Master version "{version}" is unsupported.', _INVALID)
    if moment.old is not None:
        before = str(moment.old.outputs.get("masterVersion"))
        step = minor(version)[1] - minor(before)[1]
        if step > 1:
            raise Refused("badRequest", f'Master cannot be upgraded to "{version}": cannot upgrade the master more than a '  # noqa: E501 - one message, one line
                          "minor version at a time.", _INVALID)  # fmt: skip
        if step < 0:
            raise Refused("badRequest", f'Master cannot be downgraded from "{before}" to "{version}".', _INVALID)
    full = version if version.count(".") > 1 else f"{short}.4-gke.1000000"
    moment.seed.facts["gke_version"] = full


@create
def gcp_cluster_ranges(moment: Moment) -> None:
    """The secondary ranges that a cluster names exist in its subnet."""
    subnets = moment.found.get("subnetwork")
    if not subnets:
        return
    known = {
        item.get("rangeName"): item.get("ipCidrRange") for item in subnets[0].inputs.get("secondaryIpRanges") or ()
    }
    policy = moment.inputs.get("ipAllocationPolicy") or {}
    for key, fact in (("clusterSecondaryRangeName", "pods_cidr"), ("servicesSecondaryRangeName", "services_cidr")):
        name = policy.get(key)
        if name and name not in known:
            raise Refused(
                "badRequest", f'Secondary range "{name}" does not exist in subnetwork "{subnets[0].name}".', _INVALID
            )
        moment.seed.facts[fact] = str(known.get(name) or "")
    networks = moment.found.get("network")
    if networks and subnets[0].inputs.get("network") not in {
        networks[0].id,
        networks[0].name,
        networks[0].outputs.get("selfLink"),
    }:
        raise Refused("badRequest", f"Subnetwork {subnets[0].name} is not in network {networks[0].name}.", _INVALID)


@create
def gcp_master_block(moment: Moment) -> None:
    """The control plane's block is a /28 that nothing else uses."""
    text = first(moment.inputs, "privateClusterConfig.masterIpv4CidrBlock")
    block = network(text)
    if text and (block is None or block.prefixlen != 28):  # noqa: PLR2004 - the cloud's own size
        raise Refused("badRequest", f"Invalid master_ipv4_cidr_block: {text}. Must be a /28.", _INVALID)
    for subnet in moment.found.get("subnetwork", []):
        for other in [
            subnet.inputs.get("ipCidrRange"),
            *(r.get("ipCidrRange") for r in subnet.inputs.get("secondaryIpRanges") or ()),
        ]:
            around = network(other)
            if block and around and around.overlaps(block):
                raise Refused("badRequest", f"master_ipv4_cidr_block {block} overlaps with {around}.", _INVALID)


@check
def gcp_maintenance(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A window lasts four hours or more and recurs by a rule."""
    window = first(inputs, "maintenancePolicy.recurringWindow")
    if isinstance(window, Mapping):
        rule = window.get("recurrence")
        if isinstance(rule, str) and not is_unknown(rule) and not rule.startswith("FREQ="):
            yield Failure(
                "maintenancePolicy.recurringWindow.recurrence", f"{rule!r} is not an RFC 5545 rule (FREQ=...)"
            )


@create
def gcp_zones_exist(moment: Moment) -> None:
    """Node locations are zones of the cluster's region, and the location itself exists."""
    location = str(moment.inputs.get("location") or moment.region)
    zones = gcp_zones(moment.region)
    if not re.fullmatch(r"[a-z]+-[a-z]+\d+(-[a-z])?", location) or (
        location != moment.region and location not in zones
    ):
        raise Refused("badRequest", f'Location "{location}" does not exist.', _INVALID)
    for zone in moment.inputs.get("nodeLocations") or ():
        if zone not in zones:
            raise Refused("badRequest", f'Zone "{zone}" is not in region "{moment.region}".', _INVALID)


@check
def gcp_cluster(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """What a cluster's choices demand of each other."""
    if inputs.get("enableAutopilot") is not True and not inputs.get("initialNodeCount") and not inputs.get("nodePools"):
        yield Failure("initialNodeCount", "one of initial_node_count, node_pool or enable_autopilot must be given")
    encryption = inputs.get("databaseEncryption")
    if isinstance(encryption, Mapping) and encryption.get("state") == "ENCRYPTED" and not encryption.get("keyName"):
        yield Failure("databaseEncryption.keyName", "is required when state is ENCRYPTED")
    if inputs.get("datapathProvider") == "ADVANCED_DATAPATH" and first(inputs, "networkPolicy.enabled") is True:
        yield Failure("networkPolicy.enabled", "must be off with ADVANCED_DATAPATH, which enforces policies itself")
    private = inputs.get("privateClusterConfig")
    if (
        isinstance(private, Mapping)
        and private.get("enablePrivateEndpoint") is True
        and not inputs.get("masterAuthorizedNetworksConfig")
    ):
        yield Failure("masterAuthorizedNetworksConfig", "must be enabled when enable_private_endpoint is true")


@create
def gcp_autoscaling(moment: Moment) -> None:
    """Per-zone and total bounds are not mixed; a pool's cluster gives its version."""
    bounds = moment.inputs.get("autoscaling") or {}
    per_zone = any(bounds.get(key) is not None for key in ("minNodeCount", "maxNodeCount"))
    total = any(bounds.get(key) is not None for key in ("totalMinNodeCount", "totalMaxNodeCount"))
    if per_zone and total:
        raise Refused("badRequest", "min/max_node_count and total_min/max_node_count are mutually exclusive.", _INVALID)
    clusters = moment.found.get("cluster", [])
    moment.seed.facts["gke_version"] = (
        str(clusters[0].outputs.get("masterVersion")) if clusters else f"{GKE[-2]}.4-gke.1000000"
    )
    moment.seed.facts["initial_nodes"] = str(
        int(float(moment.inputs.get("initialNodeCount") or moment.inputs.get("nodeCount") or 0))
    )


_HYPERDISK_ONLY = frozenset({"c4", "c4a", "c4d", "n4", "n4a", "n4d", "x4"})
_NO_HYPERDISK_BALANCED = frozenset({"e2", "n1", "n2", "n2d", "t2a", "t2d", "g2", "f1", "g1", "m1", "a2"})


@create
def gcp_machine_disk(moment: Moment) -> None:
    """A machine family boots from certain disks only (cloud.google.com/compute/docs/disks/hyperdisks, 2026-11)."""
    machine = str(first(moment.inputs, "nodeConfig.machineType") or "e2-medium")
    disk = str(first(moment.inputs, "nodeConfig.diskType") or "")
    family = machine.partition("-")[0]
    bad = (family in _HYPERDISK_ONLY and disk.startswith("pd-")) or (
        family in _NO_HYPERDISK_BALANCED and disk.startswith("hyperdisk-balanced")
    )
    if bad:
        raise Refused("badRequest", f"{disk} disk type cannot be used by {machine} machine type.", _INVALID)
