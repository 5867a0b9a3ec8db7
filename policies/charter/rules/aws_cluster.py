"""Rules over EKS clusters and their nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from charter.demands import between, demand, each, holds, in_production, inside, named, off, on, one_of
from charter.facts import Facts
from charter.graph import Graph
from charter.network import is_world, world_of
from charter.routes import SUBNET, public
from charter.rule import (
    CRITICAL,
    HIGH,
    MEDIUM,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    located,
    resource_rule,
    stack_rule,
)
from charter.values import UNKNOWN, Reader
from charter.words import shown

CLUSTER = "aws:eks/cluster:Cluster"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
ADDON = "aws:eks/addon:Addon"
POD_IDENTITY = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
NETWORK_POLICY = re.compile(r"""enableNetworkPolicy["']?\s*:\s*["']?true""", re.IGNORECASE)
"""The add-on's settings, as JSON or YAML."""
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
SUPPORTED = ("1.34", "1.35", "1.36")
"""Versions in standard support (docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html, 2026-11)."""


@resource_rule(
    "AWS-EKS-01",
    "A cluster's API server is reached from inside, or from named networks.",
    CRITICAL,
    [CLUSTER],
    remediation="Set control_plane_access.mode to private, or to restricted with allowed_cidrs.",
)
def private_endpoint(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """AWS opens the endpoint to everybody unless told otherwise."""
    access = resource.reader.inside("vpcConfig")
    yield from apart(on("endpointPrivateAccess")(access, _facts), _public(access))


def _public(access: Reader) -> Iterator[Found]:
    if not access.flag("endpointPublicAccess", default=True):
        return
    if access.read("publicAccessCidrs", []) == []:
        yield Finding(access.at("publicAccessCidrs"), "the API server answers the whole internet")
    world = world_of(access, "publicAccessCidrs")
    if world and not is_world(world[0][1]):
        yield Finding(access.at("publicAccessCidrs"), "these networks together are the whole internet")
        return
    for path, value in world:
        yield Finding(path, f"{shown(value)} may reach the API server")


demand(
    "AWS-EKS-02",
    "The control plane logs all it can.",
    HIGH,
    [CLUSTER],
    "What happened in a cluster can only be found out from logs that were on.",
    holds("enabledClusterLogTypes", LOG_TYPES),
    remediation="Set enabled_cluster_log_types to " + ", ".join(LOG_TYPES) + ".",
)

demand(
    "AWS-EKS-03",
    "Secrets in a cluster are encrypted with a key of one's own.",
    HIGH,
    [CLUSTER],
    "Whoever reads etcd's disks reads nothing; a key that only an update tells counts as named.",
    inside("encryptionConfig", holds("resources", ["secrets"]), named("provider.keyArn", "the key")),
    remediation="Set encryption_config with resources=['secrets'] and a KMS key.",
)


@resource_rule(
    "AWS-EKS-04",
    "Who may use a cluster is written in access entries, and nobody gets in by having made it.",
    HIGH,
    [
        CLUSTER,
        "aws:eks/accessEntry:AccessEntry",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
    ],
    remediation="Set authentication_mode=API and bootstrap_cluster_creator_admin_permissions=False; never root.",
)
def access_entries(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Judge the cluster's mode, and each entry's principal and groups."""
    reader = resource.reader
    if resource.type == CLUSTER:
        access = reader.inside("accessConfig")
        yield from apart(
            one_of("authenticationMode", ("API",))(access, facts),
            off("bootstrapClusterCreatorAdminPermissions", default=True)(access, facts),
        )
        return
    yield from apart(_principal(reader), _groups(reader))


def _principal(reader: Reader) -> Iterator[Found]:
    if reader.text("principalArn").endswith(":root"):
        yield Finding("principalArn", "is the root of the account")


def _groups(reader: Reader) -> Iterator[Found]:
    for path, group in reader.items("kubernetesGroups"):
        if group == "system:masters":
            yield Finding(path, "system:masters cannot be taken away again")


demand(
    "AWS-EKS-05",
    "A cluster runs a version that is supported, and is not deleted by mistake.",
    MEDIUM,
    [CLUSTER],
    "Versions out of standard support cost six times as much and get fixes late.",
    one_of("version", SUPPORTED),
    one_of("upgradePolicy.supportType", ("STANDARD",)),
    in_production(on("deletionProtection")),
    remediation=f"Use one of {', '.join(SUPPORTED)}, upgrade_policy STANDARD, deletion_protection in production.",
)


@stack_rule(
    "AWS-EKS-06",
    "Pods have identities of their own and a firewall between them.",
    HIGH,
    [CLUSTER, ADDON, POD_IDENTITY],
    remediation="Install vpc-cni with enableNetworkPolicy and eks-pod-identity-agent; associate roles with accounts.",
)
def pod_identity(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Without them every pod has the node's role, and talks to every other."""
    for cluster in graph.of(CLUSTER):
        mine = graph.referrers(cluster, ADDON, "clusterName")
        addons = {str(each.props.get("addonName")): each for each in mine}
        if any(each.props.get("addonName") is UNKNOWN for each in mine):
            yield Open("addonName", cluster.urn)
            continue
        if cluster.reader.flag("computeConfig.enabled"):  # Auto Mode brings identities and the network itself
            yield from _controlled(graph, cluster)
            continue
        if "eks-pod-identity-agent" not in addons and not _federated(graph, cluster):
            yield Finding("", "neither the add-on eks-pod-identity-agent nor an OIDC provider names it", cluster.urn)
        cni = addons.get("vpc-cni")
        if cni is None:
            yield Finding("", "has no vpc-cni add-on, so no network policy", cluster.urn)
            continue
        settings = cni.props.get("configurationValues")
        if settings is UNKNOWN:
            yield Open("configurationValues", cni.urn)
        elif not NETWORK_POLICY.search(str(settings or "")):
            yield Finding("configurationValues", 'must hold "enableNetworkPolicy": "true"', cni.urn)


def _controlled(graph: Graph, cluster: Resource) -> Iterator[Found]:
    """Judge whether Auto Mode's network heeds policies, which a map in the cluster tells it.

    Source: docs.aws.amazon.com/eks/latest/userguide/auto-net-pol.html, 2026-11.
    """
    inside_it = {each.urn for each in graph.of(KUBERNETES) if cluster in graph.feeds(each, "kubeconfig")}
    if not inside_it:
        yield Open("amazon-vpc-cni", cluster.urn)
        return
    maps = [each.reader for each in graph.of(SETTINGS) if each.provider_urn in inside_it]
    told = [each.raw("data") for each in maps if each.raw("metadata.name") == "amazon-vpc-cni"]
    if UNKNOWN in told:
        yield Open("amazon-vpc-cni", cluster.urn)
    elif not any(isinstance(each, dict) and each.get(CONTROLLER) == "true" for each in told):
        yield Finding("", f"no ConfigMap amazon-vpc-cni in kube-system sets {CONTROLLER}", cluster.urn)


KUBERNETES, SETTINGS = "pulumi:providers:kubernetes", "kubernetes:core/v1:ConfigMap"
CONTROLLER = "enable-network-policy-controller"


def _federated(graph: Graph, cluster: Resource) -> bool:
    return bool(graph.referrers(cluster, "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "url"))


@stack_rule(
    "AWS-NOD-01",
    "Nobody logs in to nodes, and they stand in private networks.",
    HIGH,
    [NODE_GROUP],
    remediation="Leave remote_access out; give subnets that hand out no public address and have no internet route.",
)
def private_nodes(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Subnets are followed through the graph."""
    for group in graph.of(NODE_GROUP):
        if group.reader.has("remoteAccess"):
            yield Finding("remoteAccess", "opens SSH to the nodes; it must be absent", group.urn)
        for subnet in graph.named(group, "subnetIds", SUBNET):
            for found in apart(_private(graph, subnet)):
                yield located(found, group.urn)


def _private(graph: Graph, subnet: Resource) -> Iterator[Found]:
    why = public(graph, subnet)
    if why:
        yield Finding("subnetIds", f"the subnet {subnet.name} is public: it {why}")


def in_volume(mapping: Reader, facts: Facts) -> Iterator[Found]:
    """Judge the volume of a mapping; one that takes a device away, or an instance's own disk, has none."""
    if mapping.raw("noDevice") is not None or mapping.has("virtualName"):
        return
    yield from inside("ebs", on("encrypted"), named("kmsKeyId", "a key of one's own"))(mapping, facts)


TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
TOKENS = inside(
    "metadataOptions", one_of("httpTokens", ("required",)), between("httpPutResponseHopLimit", 1, 1, default=1)
)
VOLUMES = each("blockDeviceMappings", in_volume, needed="are missing: the image's disks are not encrypted with a key")


@resource_rule(
    "AWS-NOD-02",
    "Nodes guard their metadata and encrypt their disks.",
    HIGH,
    [TEMPLATE, "aws:ec2/launchConfiguration:LaunchConfiguration", "aws:ec2/instance:Instance"],
    remediation="Set http_tokens=required, http_put_response_hop_limit=1 and encrypted volumes with a key.",
)
def guarded_nodes(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A pod that can ask for the node's credentials is the node; IMDSv2 with one hop keeps it out.

    A machine that a launch template describes is judged there.
    """
    reader = resource.reader
    if resource.type != TEMPLATE and reader.has("launchTemplate"):
        return
    yield from apart(_metadata(reader, facts))
    if resource.type == TEMPLATE:
        yield from apart(VOLUMES(reader, facts))
    else:
        yield from apart(on("rootBlockDevice.encrypted")(reader, facts))
        for disk in reader.each("ebsBlockDevices"):
            yield from apart(() if disk.raw("noDevice") is not None else on("encrypted")(disk, facts))


def _metadata(reader: Reader, facts: Facts) -> Iterator[Found]:
    """Who is told nothing needs no token for it."""
    if reader.text("metadataOptions.httpEndpoint").lower() != "disabled":
        yield from TOKENS(reader, facts)


@resource_rule(
    "AWS-NOD-03",
    "A node group has bounds that make sense and mends itself.",
    MEDIUM,
    [NODE_GROUP],
    remediation="Set 0 <= min <= desired <= max, update_config, node_repair_config and release_version.",
)
def bounds(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Bounds in order, room for one node, updates in parts, repair on, the image pinned."""
    reader = resource.reader
    yield from apart(
        _scaling(reader),
        named("updateConfig", "how many nodes may be away")(reader, facts),
        on("nodeRepairConfig.enabled")(reader, facts),
        named("releaseVersion", "the pinned image")(reader, facts),
        _pinned(reader),
        _system(reader, facts),
    )


def _pinned(reader: Reader) -> Iterator[Found]:
    if reader.raw("releaseVersion") == "latest":
        yield Finding("releaseVersion", "is latest, which moves; name one release")


def _scaling(reader: Reader) -> Iterator[Found]:
    sizes = reader.inside("scalingConfig")
    low, wish, high = sizes.number("minSize", -1), sizes.number("desiredSize", -1), sizes.number("maxSize", -1)
    if not (0 <= low <= wish <= high and high >= 1):
        yield Finding("scalingConfig", f"min {low:g}, desired {wish:g}, max {high:g} are not in order")


def _system(reader: Reader, facts: Facts) -> Iterator[Found]:
    if facts.production and reader.map("labels").get("ecosystem.dev/pool") == "system":
        least = reader.number("scalingConfig.minSize")
        if reader.map("labels").get("ecosystem.dev/slot") == "0" and least < 2:  # noqa: PLR2004  one may fail
            yield Finding("scalingConfig.minSize", f"is {least:g}; system pools need at least 2 in production")
