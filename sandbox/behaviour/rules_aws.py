"""Rules of Amazon that a table cannot hold: networks, identity, keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

import grpc

from sandbox.behaviour.rules import Moment, check, create, outputs
from sandbox.behaviour.versions import aws_zones
from sandbox.errors import Failure, Refused
from sandbox.wire import has_unknown, is_unknown

_POLICIES = ("policy", "assumeRolePolicy")
_MANAGED_POLICY_LIMIT = 6144


def network(text: Any) -> IPv4Network | None:
    """Parse a CIDR block; None when it is unknown, absent or no block."""
    try:
        return IPv4Network(text) if isinstance(text, str) and not is_unknown(text) else None
    except ValueError:
        return None


@check
def aws_vpc_size(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A VPC is a /16 to /28 without host bits."""
    text = inputs.get("cidrBlock")
    if isinstance(text, str) and not is_unknown(text):
        block = network(text)
        if block is None:
            yield Failure("cidrBlock", f'"{text}" is not a valid IPv4 CIDR block')
        elif not 16 <= block.prefixlen <= 28:  # noqa: PLR2004 - the cloud's own limits
            yield Failure(
                "cidrBlock", f'expected "{text}" to contain a network with between 16 and 28 significant bits'
            )


@check
def aws_policy_text(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A policy is JSON with statements that have an effect, actions and, on identities, resources."""
    for key in _POLICIES:
        text = inputs.get(key)
        if not isinstance(text, str) or is_unknown(text):
            continue
        try:
            document = json.loads(text)
        except ValueError:
            yield Failure(key, "contains an invalid JSON policy: not JSON")
            continue
        if not isinstance(document, dict) or "Statement" not in document:
            yield Failure(key, "contains an invalid JSON policy: no Statement")
            continue
        if document.get("Version") not in {"2012-10-17", "2008-10-17", None}:
            yield Failure(key, f"contains an invalid JSON policy: Version {document['Version']}")
        statements = document["Statement"]
        for index, statement in enumerate(statements if isinstance(statements, list) else [statements]):
            yield from _statement(f"{key}.Statement[{index}]", statement, trust=key == "assumeRolePolicy")


def _statement(path: str, statement: Any, *, trust: bool) -> Iterator[Failure]:
    known = {
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "Principal",
        "NotPrincipal",
    }
    if not isinstance(statement, dict):
        yield Failure(path, "MalformedPolicyDocument: a statement is an object")
        return
    for key in statement.keys() - known:
        yield Failure(f"{path}.{key}", "MalformedPolicyDocument: Syntax errors in policy.")
    if statement.get("Effect") not in {"Allow", "Deny"}:
        yield Failure(f"{path}.Effect", "MalformedPolicyDocument: Syntax errors in policy.")
    if not statement.get("Action") and not statement.get("NotAction"):
        yield Failure(f"{path}.Action", "MalformedPolicyDocument: Policy statement must contain actions.")
    if trust and not statement.get("Principal") and not statement.get("NotPrincipal"):
        yield Failure(f"{path}.Principal", "MalformedPolicyDocument: Missing required field Principal")
    if trust and ("Resource" in statement or "NotResource" in statement):
        yield Failure(f"{path}.Resource", "MalformedPolicyDocument: Has prohibited field Resource")


@check
def aws_policy_size(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A managed policy has at most 6,144 characters without white space."""
    text = inputs.get("policy")
    if isinstance(text, str) and not is_unknown(text) and len(re.sub(r"\s", "", text)) > _MANAGED_POLICY_LIMIT:
        yield Failure("policy", "LimitExceeded: Cannot exceed quota for PolicySize: 6144")


@create
def aws_key_policy(moment: Moment) -> None:
    """Principals of a key policy must exist: KMS resolves them, IAM does not."""
    text = moment.inputs.get("policy")
    for arn in re.findall(r'"(arn:[^":]+:iam::\d{12}:role/[^"*]+)"', text if isinstance(text, str) else ""):
        if "/aws-service-role/" not in arn and not moment.database.by_handle(("aws:iam/role:Role",), arn):
            raise Refused("MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid "
                          f"principals: {arn}", grpc.StatusCode.INVALID_ARGUMENT)  # fmt: skip


@create
def aws_subnet_fits(moment: Moment) -> None:
    """A subnet lies inside its VPC, is a /16 to /28 and overlaps no sibling."""
    block = network(moment.inputs.get("cidrBlock"))
    vpcs = moment.found.get("vpcId")
    if block is None or not vpcs:
        return
    around = network(vpcs[0].inputs.get("cidrBlock"))
    if (around and not block.subnet_of(around)) or not 16 <= block.prefixlen <= 28:  # noqa: PLR2004
        raise Refused("InvalidSubnet.Range", f"The CIDR '{block}' is invalid.", grpc.StatusCode.INVALID_ARGUMENT)
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        taken = network(other.inputs.get("cidrBlock"))
        if other.inputs.get("vpcId") == moment.inputs.get("vpcId") and taken and taken.overlaps(block):
            raise Refused(
                "InvalidSubnet.Conflict",
                f"The CIDR '{block}' conflicts with another subnet",
                grpc.StatusCode.ALREADY_EXISTS,
            )


@create
def aws_zone_exists(moment: Moment) -> None:
    """The zone is one of the region's."""
    zone = moment.inputs.get("availabilityZone")
    zones = aws_zones(moment.region)
    if isinstance(zone, str) and zone not in zones:
        raise Refused(
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the "
            f"following availability zones: {', '.join(zones)}.",
            grpc.StatusCode.INVALID_ARGUMENT,
        )


def _sibling(moment: Moment, *keys: str) -> bool:
    """Tell whether another thing of this type has the same values."""
    wanted = [moment.inputs.get(key) for key in keys]
    others = moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk))
    return any([other.inputs.get(key) for key in keys] == wanted for other in others)


@create
def aws_one_gateway(moment: Moment) -> None:
    """A VPC has one internet gateway."""
    if moment.inputs.get("vpcId") and _sibling(moment, "vpcId"):
        raise Refused(
            "Resource.AlreadyAssociated", f"resource already has an attachment to vpc {moment.inputs['vpcId']}"
        )


@create
def aws_nat_address(moment: Moment) -> None:
    """A public NAT gateway has an address, which serves nobody else."""
    address = moment.inputs.get("allocationId")
    if not address and moment.inputs.get("connectivityType", "public") == "public":
        raise Refused("MissingParameter", "The request must include the AllocationId parameter.",
                      grpc.StatusCode.INVALID_ARGUMENT)  # fmt: skip
    if address and _sibling(moment, "allocationId"):
        raise Refused("Resource.AlreadyAssociated", f"Elastic IP address [{address}] is already associated")


@create
def aws_route_is_new(moment: Moment) -> None:
    """A table has one route per destination."""
    if moment.old is None and _sibling(
        moment, "routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"
    ):
        where = moment.inputs.get("destinationCidrBlock") or moment.inputs.get("destinationIpv6CidrBlock")
        raise Refused("RouteAlreadyExists", f"The route identified by {where} already exists.",
                      grpc.StatusCode.ALREADY_EXISTS)  # fmt: skip


@create
def aws_one_table(moment: Moment) -> None:
    """A subnet is associated with one table."""
    if moment.inputs.get("subnetId") and _sibling(moment, "subnetId"):
        raise Refused("Resource.AlreadyAssociated", "the specified association for route table conflicts with an "
                      "existing association", grpc.StatusCode.ALREADY_EXISTS)  # fmt: skip


@create
def aws_endpoint_service(moment: Moment) -> None:
    """The service is of this region, and only two have gateway endpoints."""
    service = str(moment.inputs.get("serviceName") or "")
    kind = moment.inputs.get("vpcEndpointType", "Gateway")
    found = re.fullmatch(r"(?:com|cn\.com|aws)\.(?:amazonaws|api)\.([a-z0-9-]+)\.(.+)", service)
    if service.startswith("com.amazonaws.vpce."):
        return
    if not found or (found.group(1) != moment.region and found.group(2) != "s3-global.accesspoint"):
        raise Refused("InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist",
                      grpc.StatusCode.NOT_FOUND)  # fmt: skip
    if (kind == "Gateway") and found.group(2) not in {"s3", "dynamodb", "s3express"}:
        raise Refused("InvalidParameter", f"Endpoint type (Gateway) does not match available service types ([Interface]) "  # noqa: E501 - one message, one line
                      f"for {service}.", grpc.StatusCode.INVALID_ARGUMENT)  # fmt: skip


@create
def aws_adopts_default_group(moment: Moment) -> None:
    """The default group of a VPC is adopted: its id is the VPC's."""
    vpcs = moment.found.get("vpcId")
    moment.seed.facts["adopted"] = str(vpcs[0].outputs["defaultSecurityGroupId"]) if vpcs else "sg-default"


@check
def aws_rule_ports(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Ports come with tcp and udp and not with all traffic."""
    protocol = str(inputs.get("ipProtocol", ""))
    ports = [key for key in ("fromPort", "toPort") if inputs.get(key) is not None]
    if protocol == "-1" and ports:
        yield Failure(ports[0], "must not be set when ipProtocol is -1")
    if protocol in {"tcp", "udp", "6", "17"} and len(ports) < 2 and not has_unknown(dict(inputs)):  # noqa: PLR2004
        yield Failure("fromPort", f"fromPort and toPort are required when ipProtocol is {protocol}")


@create
def aws_rule_is_new(moment: Moment) -> None:
    """A group has each rule once."""
    keys = ("securityGroupId", "ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "prefixListId",
            "referencedSecurityGroupId")  # fmt: skip
    if _sibling(moment, *keys):
        peer = moment.inputs.get("cidrIpv4") or moment.inputs.get("referencedSecurityGroupId")
        raise Refused("InvalidPermission.Duplicate", f'the specified rule "peer: {peer}, {moment.inputs.get("ipProtocol")}" '  # noqa: E501 - one message, one line
                      "already exists", grpc.StatusCode.ALREADY_EXISTS)  # fmt: skip


@outputs
def aws_template_version(moment: Moment, values: dict[str, Any]) -> None:
    """Each change is a version more."""
    old = moment.old.outputs.get("latestVersion", 0) if moment.old else 0
    values["latestVersion"] = int(old) + 1
    if moment.old is None or moment.inputs.get("updateDefaultVersion"):
        values["defaultVersion"] = values["latestVersion"]
    else:
        values["defaultVersion"] = moment.inputs.get("defaultVersion") or moment.old.outputs.get("defaultVersion", 1)


_LINKED = {"autoscaling": "AutoScaling", "elasticloadbalancing": "ElasticLoadBalancing", "eks": "AmazonEKS",
           "eks-nodegroup": "AmazonEKSNodegroup", "spot": "EC2Spot", "guardduty": "AmazonGuardDuty"}  # fmt: skip


@create
def aws_linked_role(moment: Moment) -> None:
    """A service has one linked role per account (and suffix)."""
    service = str(moment.inputs.get("awsServiceName") or "")
    short = service.partition(".")[0]
    suffix = moment.inputs.get("customSuffix")
    moment.seed.facts["linked_role"] = f"AWSServiceRoleFor{_LINKED.get(short, short.title())}" + (
        f"_{suffix}" if suffix else ""
    )
    if _sibling(moment, "awsServiceName", "customSuffix"):
        raise Refused("InvalidInput", f"Service role name {moment.seed.facts['linked_role']} has been taken in this account, "  # noqa: E501 - one message, one line
                      "please try a different suffix.", grpc.StatusCode.ALREADY_EXISTS)  # fmt: skip


@create
def aws_issuer(moment: Moment) -> None:
    """An account knows an issuer once."""
    moment.seed.facts["issuer"] = str(moment.inputs.get("url") or "").removeprefix("https://")
    if moment.old is None and _sibling(moment, "url"):
        raise Refused("EntityAlreadyExists", f"Provider with url {moment.inputs['url']} already exists.",
                      grpc.StatusCode.ALREADY_EXISTS)  # fmt: skip
