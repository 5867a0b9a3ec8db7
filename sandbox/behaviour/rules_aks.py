"""Rules of AKS that a table cannot hold (learn.microsoft.com/azure/aks, 2026-11)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import grpc

from sandbox.behaviour.rules import Moment, check, create, outputs
from sandbox.behaviour.rules_aws import network
from sandbox.behaviour.rules_azure import blocks_of
from sandbox.behaviour.versions import AKS, minor
from sandbox.errors import Failure, Refused
from sandbox.paths import each, first
from sandbox.wire import has_unknown, is_unknown

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_LINUX_NAME, _WINDOWS_NAME = 12, 6


@check
def azure_cluster(inputs: Mapping[str, Any]) -> Iterator[Failure]:  # noqa: C901 - a flat list of cases
    """Plug-in, mode, policy and dataplane fit together; the first pool is a system pool."""
    net = inputs.get("networkProfile")
    if isinstance(net, Mapping):
        plugin, mode = net.get("networkPlugin"), net.get("networkPluginMode")
        if mode == "overlay" and plugin not in {"azure", None} and not is_unknown(plugin):
            yield Failure("networkProfile.networkPluginMode", f"overlay needs networkPlugin azure, not {plugin}")
        if net.get("networkDataplane") == "cilium" and net.get("networkPolicy") not in {"cilium", "none", None}:
            yield Failure(
                "networkProfile.networkPolicy", f"dataplane cilium needs policy cilium, not {net.get('networkPolicy')}"
            )
        if net.get("networkPolicy") == "cilium" and net.get("networkDataplane") != "cilium":
            yield Failure("networkProfile.networkDataplane", "policy cilium needs dataplane cilium")
        services, dns = network(net.get("serviceCidr")), net.get("dnsServiceIP")
        if services and isinstance(dns, str) and not is_unknown(dns):
            address = network(f"{dns}/32")
            if address is None or not address.subnet_of(services) or address[0] == services[1]:
                yield Failure(
                    "networkProfile.dnsServiceIP", f"{dns} must be inside {services} and not its first address"
                )
        pods = network(net.get("podCidr"))
        if pods and services and pods.overlaps(services):
            yield Failure("networkProfile.serviceCidr", f"{services} overlaps podCidr {pods}")
    pools = inputs.get("agentPoolProfiles")
    if (
        isinstance(pools, list)
        and pools
        and not any(
            not isinstance(pool, Mapping) or pool.get("mode") in {"System", None} or has_unknown(pool.get("mode"))
            for pool in pools
        )
    ):
        yield Failure("agentPoolProfiles", "Must define at least one system pool")
    access = inputs.get("apiServerAccessProfile")
    if isinstance(access, Mapping) and access.get("enablePrivateCluster") is True and access.get("authorizedIPRanges"):
        yield Failure("apiServerAccessProfile.authorizedIPRanges", "cannot be set on a private cluster")
    if inputs.get("disableLocalAccounts") is True and not inputs.get("aadProfile"):
        yield Failure("disableLocalAccounts", "needs aadProfile: without it nobody could log in")
    identity = inputs.get("identity")
    if (
        isinstance(identity, Mapping)
        and identity.get("type") == "UserAssigned"
        and not identity.get("userAssignedIdentities")
    ):
        yield Failure("identity.userAssignedIdentities", "is required with type UserAssigned")


def _bounds(pool: Mapping[str, Any], where: str) -> str:  # noqa: PLR0911 - a flat list of cases
    """Say what is wrong with the bounds of a pool."""
    auto = pool.get("enableAutoScaling")
    low, count, high = (pool.get(key) for key in ("minCount", "count", "maxCount"))
    if auto in {True, "true"}:
        if low is None or high is None:
            return f"{where}: minCount and maxCount are required when enableAutoScaling is true"
        if float(low) > float(high):
            return f"{where}: minCount {low} must not be greater than maxCount {high}"
        if count is not None and not float(low) <= float(count) <= float(high):
            return f"{where}: count {count} must be between minCount {low} and maxCount {high}"
    elif low is not None or high is not None:
        return f"{where}: minCount and maxCount must not be set when enableAutoScaling is false"
    system = pool.get("mode") == "System"
    if system and float(count if count is not None else 1) < 1:
        return f"{where}: a system pool has at least one node"
    if system and pool.get("scaleSetPriority") == "Spot":
        return f"{where}: a system pool cannot be of spot nodes"
    if system and auto in {True, "true"} and float(low or 0) < 1:
        return f"{where}: minCount of a system pool must be at least 1"
    if pool.get("scaleSetPriority") != "Spot" and pool.get("spotMaxPrice") not in {None, -1}:
        return f"{where}: spotMaxPrice needs scaleSetPriority Spot"
    return ""


@create
def azure_pools(moment: Moment) -> None:
    """Bounds of the pools that come with a cluster."""
    for index, pool in enumerate(moment.inputs.get("agentPoolProfiles") or ()):
        wrong = _bounds(pool, f"agentPoolProfiles[{index}]")
        if wrong:
            raise Refused("InvalidParameter", wrong, _INVALID)
    if moment.old is not None:
        _pools_stay(moment.old.inputs.get("agentPoolProfiles") or (), moment.inputs.get("agentPoolProfiles") or ())


_FIXED = ("availabilityZones", "vmSize", "vnetSubnetID", "maxPods", "osDiskType", "osDiskSizeGB", "scaleSetPriority")
"""What a pool keeps (https://learn.microsoft.com/azure/aks/create-node-pools, 2026-11-21)."""


def _pools_stay(olds: Sequence[Mapping[str, Any]], news: Sequence[Mapping[str, Any]]) -> None:
    """Refuse what an update of a cluster cannot do to its pools.

    Wording: https://github.com/pulumi/pulumi-azure-native/issues/579.
    """
    before = {str(pool.get("name")): pool for pool in olds}
    for pool in news:
        old = before.get(str(pool.get("name")))
        if old is None:
            raise Refused("BadRequest", "A new agent pool was introduced. Adding agent pools to an existing cluster is "
                          "not allowed through managed cluster operations.", _INVALID)  # fmt: skip
        for name in _FIXED:
            if old.get(name) != pool.get(name):
                raise Refused(
                    "PropertyChangeNotAllowed", f"Changing property 'properties.{name}' is not allowed.", _INVALID
                )


@create
def azure_pool(moment: Moment) -> None:
    """Bounds of a pool; its version is not newer than its cluster's."""
    wrong = _bounds(moment.inputs, str(moment.seed.facts["name"]))
    if wrong:
        raise Refused("InvalidParameter", wrong, _INVALID)
    clusters = moment.found.get("resourceName")
    control = str(clusters[0].outputs.get("currentKubernetesVersion")) if clusters else f"{AKS[-2]}.0"
    wanted = str(moment.inputs.get("orchestratorVersion") or control)
    if minor(wanted) > minor(control):
        raise Refused("NodePoolMcVersionIncompatible", f"Node pool version {wanted} and control plane version {control} are "  # noqa: E501 - one message, one line
                      "incompatible.", _INVALID)  # fmt: skip
    moment.seed.facts["aks_version"] = (
        wanted if wanted.count(".") > 1 else (control if control.startswith(f"{wanted}.") else f"{wanted}.4")
    )
    reserved = (
        {str(pool.get("name")) for pool in (clusters[0].inputs.get("agentPoolProfiles") or ())} if clusters else set()
    )
    if moment.old is None and moment.seed.facts["name"] in reserved:
        raise Refused(
            "OperationNotAllowed",
            f"Agent pool {moment.seed.facts['name']} exists already in the cluster",
            grpc.StatusCode.ALREADY_EXISTS,
        )


@check
def azure_pool_name(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Names of Windows pools are shorter."""
    name = inputs.get("agentPoolName")
    limit = _WINDOWS_NAME if inputs.get("osType") == "Windows" else _LINUX_NAME
    if isinstance(name, str) and not is_unknown(name) and len(name) > limit:
        yield Failure("agentPoolName", f"{name!r} has {len(name)} characters, at most {limit} are allowed")


@create
def azure_cluster_version(moment: Moment) -> None:
    """The version is offered; it goes up one minor at a time and never down."""
    wanted = str(moment.inputs.get("kubernetesVersion") or AKS[-2])
    short = ".".join(map(str, minor(wanted)))
    if short not in AKS:
        raise Refused("K8sVersionNotSupported", f"Managed cluster is on version {wanted}, which is not supported in this region. "  # noqa: E501 - one message, one line
                      f"Supported: {', '.join(AKS)}.", _INVALID)  # fmt: skip
    if moment.old is not None:
        before = str(moment.old.outputs.get("currentKubernetesVersion"))
        step = minor(wanted)[1] - minor(before)[1]
        if step > 1:
            raise Refused("OperationNotAllowed", f"Upgrading Kubernetes version {before} to {wanted} is not allowed. Kubernetes "  # noqa: E501 - one message, one line
                          "minor versions cannot be skipped.", _INVALID)  # fmt: skip
        if step < 0:
            raise Refused(
                "OperationNotAllowed", f"Downgrading Kubernetes version {before} to {wanted} is not allowed.", _INVALID
            )
        if step == 0 and wanted.count(".") < 2:  # noqa: PLR2004 - a minor version alone keeps its patch
            wanted = before
    moment.seed.facts["aks_version"] = wanted if wanted.count(".") > 1 else f"{short}.4"


@create
def azure_cluster_places(moment: Moment) -> None:
    """Subnets, ranges and the way out fit together."""
    net = moment.inputs.get("networkProfile") or {}
    if net.get("outboundType") == "userAssignedNATGateway":
        for subnet in moment.found.get("agentPoolProfiles[*].vnetSubnetID", []):
            if not first(subnet.inputs, "natGateway.id"):
                raise Refused("NatGatewayNotFoundInSubnet", f"Subnet {subnet.id} has no NAT gateway, which outbound type "  # noqa: E501 - one message, one line
                              "userAssignedNATGateway needs.", _INVALID)  # fmt: skip
    ranges = [network(net.get(key)) for key in ("podCidr", "serviceCidr")]
    for subnet in moment.found.get("agentPoolProfiles[*].vnetSubnetID", []):
        for block in blocks_of(subnet.inputs):
            for other in ranges:
                if other and other.overlaps(block):
                    raise Refused("ServiceCidrOverlapExistingSubnetsCidr", f"The specified service or pod CIDR {other} is "  # noqa: E501 - one message, one line
                                  f"conflicted with an existing subnet CIDR {block}", _INVALID)  # fmt: skip
    for subnet in moment.found.get("apiServerAccessProfile.subnetId", []):
        services = {value for _, value in each(subnet.inputs, "delegations[*].serviceName")}
        if "Microsoft.ContainerService/managedClusters" not in services:
            raise Refused("InvalidParameter", f"The API server subnet {subnet.id} must be delegated to "
                          "Microsoft.ContainerService/managedClusters.", _INVALID)  # fmt: skip


@outputs
def azure_cluster_address(moment: Moment, values: dict[str, Any]) -> None:
    """A private cluster has a private name, and a public one only when asked for."""
    access = moment.inputs.get("apiServerAccessProfile") or {}
    values["privateFQDN"] = ""
    if access.get("enablePrivateCluster") is True:
        zone = str(access.get("privateDNSZone") or "system").rpartition("/")[2]
        host = str(values.get("fqdn") or "").partition(".")[0]
        domain = zone if "." in zone else f"privatelink.{moment.region}.azmk8s.io"
        values["privateFQDN"] = f"{host}.{domain}"
