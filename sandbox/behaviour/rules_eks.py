"""Rules of EKS that a table cannot hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

import grpc

from sandbox.behaviour.rules import Moment, check, create
from sandbox.behaviour.rules_aws import network
from sandbox.behaviour.versions import EKS, minor
from sandbox.errors import Failure, Refused
from sandbox.paths import first
from sandbox.wire import is_unknown

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


@create
def aws_cluster_subnets(moment: Moment) -> None:
    """A control plane stands in two zones of one VPC."""
    subnets = moment.found.get("vpcConfig.subnetIds[*]", [])
    zones = {str(subnet.outputs.get("availabilityZone")) for subnet in subnets}
    vpcs = {str(subnet.inputs.get("vpcId")) for subnet in subnets}
    if len(zones) < 2:  # noqa: PLR2004 - the cloud's own limit
        raise Refused("InvalidParameterException", "Subnets specified must be in at least two different AZs", _INVALID)
    if len(vpcs) > 1:
        raise Refused("InvalidParameterException", "Subnets must be in the same VPC", _INVALID)
    moment.seed.facts["found_vpc"] = next(iter(vpcs))
    for group in moment.found.get("vpcConfig.securityGroupIds[*]", []):
        if group.inputs.get("vpcId") not in vpcs:
            raise Refused(
                "InvalidParameterException",
                f"Security group(s) [{group.id}] are not in the same VPC as the subnets. Please specify subnets and security groups in the same VPC",  # noqa: E501 - one message, one line
                _INVALID,
            )


@create
def aws_cluster_version(moment: Moment) -> None:
    """The version is offered; an upgrade goes one minor up and never down."""
    version = moment.inputs.get("version")
    if not isinstance(version, str):
        return
    if version not in EKS:
        raise Refused("InvalidParameterException", f"unsupported Kubernetes version {version}", _INVALID)
    if moment.old is not None:
        before = str(moment.old.outputs.get("version") or version)
        step = minor(version)[1] - minor(before)[1]
        if step < 0 or step > 1:
            raise Refused(
                "InvalidParameterException",
                f"Unsupported Kubernetes minor version update from {before} to {version}",
                _INVALID,
            )


@check
def aws_service_range(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Services live in a private /12 to /24."""
    block = network(first(inputs, "kubernetesNetworkConfig.serviceIpv4Cidr"))
    if block and not (12 <= block.prefixlen <= 24 and any(block.subnet_of(area) for area in _PRIVATE)):  # noqa: PLR2004
        yield Failure(
            "kubernetesNetworkConfig.serviceIpv4Cidr",
            f"{block} must be within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 and between /24 and /12",
        )


@check
def aws_cluster_endpoint(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """At least one of the two endpoints is on."""
    access = inputs.get("vpcConfig")
    if (
        isinstance(access, Mapping)
        and access.get("endpointPublicAccess") is False
        and not access.get("endpointPrivateAccess")
    ):
        yield Failure("vpcConfig.endpointPrivateAccess", "private and public endpoint access cannot both be disabled")


@create
def aws_cluster(moment: Moment) -> None:
    """Services must not overlap the VPC."""
    block = network(first(moment.inputs, "kubernetesNetworkConfig.serviceIpv4Cidr"))
    vpcs = moment.database.by_handle(("aws:ec2/vpc:Vpc",), moment.seed.facts.get("found_vpc", ""))
    around = network(vpcs[0].inputs.get("cidrBlock")) if vpcs else None
    if block and around and block.overlaps(around):
        raise Refused(
            "InvalidParameterException", f"The service CIDR {block} overlaps the VPC's CIDR {around}", _INVALID
        )


@create
def aws_scaling(moment: Moment) -> None:
    """Minimum, desired and maximum are in order."""
    scaling = moment.inputs.get("scalingConfig") or {}
    low, wanted, high = (scaling.get(key) for key in ("minSize", "desiredSize", "maxSize"))
    if low is None or wanted is None or high is None:
        return
    low, wanted, high = int(float(low)), int(float(wanted)), int(float(high))
    if low > high:
        text = f"Minimum capacity {low} can't be greater than maximum size {high}"
    elif low > wanted:
        text = f"Minimum capacity {low} can't be greater than desired size {wanted}"
    elif wanted > high:
        text = f"desired capacity {wanted} can't be greater than max size {high}"
    else:
        return
    raise Refused("InvalidParameterException", text, _INVALID)


@create
def aws_node_version(moment: Moment) -> None:
    """Nodes are not newer than their control plane, nor more than three minors older."""
    clusters = moment.found.get("clusterName")
    version = moment.inputs.get("version")
    if not clusters or not isinstance(version, str):
        return
    control = str(clusters[0].outputs.get("version") or version)
    step = minor(control)[1] - minor(version)[1]
    if step < 0:
        text = f"Nodegroup Kubernetes version {version} should be equal to or lower than the Cluster version {control}"
        raise Refused("InvalidParameterException", text, _INVALID)
    if step > 3:  # noqa: PLR2004 - version skew policy
        raise Refused(
            "InvalidParameterException", f"Nodegroup Kubernetes version {version} is too old for {control}", _INVALID
        )
    release = moment.inputs.get("releaseVersion")
    if isinstance(release, str) and not release.startswith(f"{version}."):
        raise Refused("InvalidParameterException",
                      f"Requested release version {release} is not valid for kubernetes version {version}.", _INVALID)  # fmt: skip  # noqa: E501 - one message, one line


@create
def aws_template_exists(moment: Moment) -> None:
    """The version of the launch template exists."""
    templates = moment.found.get("launchTemplate.id")
    wanted = first(moment.inputs, "launchTemplate.version")
    if not templates or not isinstance(wanted, str) or not wanted.isdigit():
        return
    if int(wanted) > int(templates[0].outputs.get("latestVersion", 1)) or int(wanted) < 1:
        raise Refused("InvalidParameterException",
                      f"You cannot specify a launch template version that does not exist: {wanted}", _INVALID)  # fmt: skip  # noqa: E501 - one message, one line


@create
def aws_addon(moment: Moment) -> None:
    """An add-on is there once, and kube-proxy is of the cluster's minor version."""
    name, version = str(moment.inputs.get("addonName")), str(moment.inputs.get("addonVersion") or "")
    clusters = moment.found.get("clusterName")
    if clusters and name == "kube-proxy" and version:
        control = str(clusters[0].outputs.get("version"))
        if minor(version) > minor(control):
            raise Refused("InvalidParameterException", "Addon version specified is not supported", _INVALID)


@check
def aws_configuration_text(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Configuration values are JSON."""
    text = inputs.get("configurationValues")
    if isinstance(text, str) and text and not is_unknown(text):
        try:
            json.loads(text)
        except ValueError:
            yield Failure("configurationValues", "ConfigurationValue is not in valid JSON format")


@create
def aws_api_mode(moment: Moment) -> None:
    """Access entries need a cluster whose authentication mode knows them."""
    clusters = moment.found.get("clusterName")
    mode = first(clusters[0].outputs, "accessConfig.authenticationMode") if clusters else "API"
    if mode == "CONFIG_MAP":
        raise Refused("InvalidRequestException", "The cluster's authentication mode must be set to one of [API, "
                      "API_AND_CONFIG_MAP] to perform this operation.")  # fmt: skip


@create
def aws_entry_exists(moment: Moment) -> None:
    """A policy is associated with an entry that exists."""
    key = f"{moment.inputs.get('clusterName')}:{moment.inputs.get('principalArn')}"
    entries = moment.database.by_handle(("aws:eks/accessEntry:AccessEntry",), key)
    if not any(entry.region == moment.region and entry.scope == moment.scope for entry in entries):
        raise Refused("ResourceNotFoundException", "The specified principalArn could not be found. You can view your "
                      "available access entries with 'list-access-entries'.", grpc.StatusCode.NOT_FOUND)  # fmt: skip


@create
def aws_one_association(moment: Moment) -> None:
    """A service account has one role."""
    keys = ("clusterName", "namespace", "serviceAccount", "region")
    wanted = [moment.inputs.get(key) for key in keys]
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        if [other.inputs.get(key) for key in keys] == wanted:
            raise Refused(
                "ResourceInUseException", f"Association already exists: {other.id}", grpc.StatusCode.ALREADY_EXISTS
            )
