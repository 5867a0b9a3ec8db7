"""Look-ups of Amazon."""

from __future__ import annotations

import csv
import functools
import json
from pathlib import Path
from typing import Any

import grpc

from sandbox.behaviour.versions import EKS, aws_zones, minor
from sandbox.errors import Refused
from sandbox.invokes.table import Question, serves

_PRICES = Path(__file__).parents[2] / "sizing" / "data" / "instance_prices.csv"


def partition(region: str) -> tuple[str, str]:
    """Give partition and DNS suffix of a region."""
    if region.startswith("cn-"):
        return "aws-cn", "amazonaws.com.cn"
    return ("aws-us-gov" if region.startswith("us-gov-") else "aws"), "amazonaws.com"


@serves("aws:index/getCallerIdentity:getCallerIdentity")
def caller(asked: Question) -> dict[str, Any]:
    """Who am I: a role of the account that answers."""
    account, part = asked.connection.scope, partition(asked.region)[0]
    return {
        "accountId": account,
        "arn": f"arn:{part}:sts::{account}:assumed-role/offline/stage",
        "userId": "AROAOFFLINESTAGE00000:stage",
        "id": account,
    }


@serves("aws:index/getPartition:getPartition")
def get_partition(asked: Question) -> dict[str, Any]:
    """Partition of the provider's region."""
    name, suffix = partition(asked.region)
    return {
        "id": name,
        "partition": name,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
    }


@serves("aws:index/getRegion:getRegion")
def get_region(asked: Question) -> dict[str, Any]:
    """The region that is asked about, or the provider's."""
    name = str(asked.args.get("name") or asked.region)
    return {"id": name, "name": name, "region": name, "description": name, "endpoint": f"ec2.{name}.amazonaws.com"}


@serves("aws:index/getAvailabilityZones:getAvailabilityZones")
def zones(asked: Question) -> dict[str, Any]:
    """Zones of a region."""
    names = list(aws_zones(asked.region))
    ids = [f"{asked.region}-az{index + 1}" for index in range(len(names))]
    return {
        **asked.args, "id": asked.region, "names": names, "zoneIds": ids, "groupNames": [asked.region],
        "region": asked.region,
    }  # fmt: skip


@serves("aws:eks/getClusterVersions:getClusterVersions")
def cluster_versions(asked: Question) -> dict[str, Any]:
    """Versions that EKS offers."""
    found = [
        {
            "clusterVersion": version, "clusterType": "eks", "defaultVersion": version == EKS[-2],
            "defaultPlatformVersion": "eks.12", "status": "STANDARD_SUPPORT", "versionStatus": "STANDARD_SUPPORT",
            "kubernetesPatchVersion": f"{version}.4", "releaseDate": asked.now,
            "endOfStandardSupportDate": asked.now, "endOfExtendedSupportDate": asked.now,
        }
        for version in EKS
        if not asked.args.get("clusterVersionOnlies") or version in asked.args["clusterVersionOnlies"]
    ]  # fmt: skip
    return {**asked.args, "id": "versions", "clusterVersions": found, "region": asked.region}


_ADDONS = {
    "vpc-cni": "v1.21.1",
    "coredns": "v1.13.2",
    "aws-ebs-csi-driver": "v1.57.1",
    "eks-pod-identity-agent": "v1.3.10",
}


@serves("aws:eks/getAddonVersion:getAddonVersion")
def addon_version(asked: Question) -> dict[str, Any]:
    """Version of an add-on for a Kubernetes version."""
    name, kubernetes = str(asked.args["addonName"]), str(asked.args["kubernetesVersion"])
    if name != "kube-proxy" and name not in _ADDONS:
        raise Refused(
            "InvalidParameterException", f"Addon {name} specified is not supported", grpc.StatusCode.NOT_FOUND
        )
    version = f"v{kubernetes}.4" if name == "kube-proxy" else _ADDONS[name]
    return {**asked.args, "id": name, "version": f"{version}-eksbuild.1", "region": asked.region}


@serves("aws:ssm/getParameter:getParameter")
def parameter(asked: Question) -> dict[str, Any]:
    """The public parameters under /aws/service/eks, nothing else."""
    name = str(asked.args["name"])
    parts = name.split("/")
    if not name.startswith("/aws/service/eks/optimized-ami/") or len(parts) < 7 or parts[5] not in EKS:  # noqa: PLR2004
        raise Refused("ParameterNotFound", f"couldn't find parameter {name}", grpc.StatusCode.NOT_FOUND)
    value = f"{parts[5]}.4-20260423" if name.endswith("release_version") else f"ami-{abs(minor(parts[5])[1]):017x}"
    part = partition(asked.region)[0]
    return {
        **asked.args, "id": name, "value": value, "insecureValue": value, "type": "String", "version": 1,
        "arn": f"arn:{part}:ssm:{asked.region}::parameter{name}", "region": asked.region,
    }  # fmt: skip


@serves("aws:iam/getPolicyDocument:getPolicyDocument")
def policy_document(asked: Question) -> dict[str, Any]:
    """Write a policy as JSON."""
    document: dict[str, Any] = {"Version": asked.args.get("version") or "2012-10-17"}
    if asked.args.get("policyId"):
        document["Id"] = asked.args["policyId"]
    document["Statement"] = [_statement(item) for item in asked.args.get("statements") or ()]
    text = json.dumps(document, indent=2)
    return {
        **asked.args,
        "id": str(abs(hash(text)) % 10**10),
        "json": text,
        "minifiedJson": json.dumps(document, separators=(",", ":")),
    }


def _one(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else items


def _statement(item: dict[str, Any]) -> dict[str, Any]:
    names = {"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"}
    found: dict[str, Any] = {}
    if item.get("sid"):
        found["Sid"] = item["sid"]
    found["Effect"] = item.get("effect") or "Allow"
    for key, name in names.items():
        if item.get(key):
            found[name] = _one(list(item[key]))
    for key, name in (("principals", "Principal"), ("notPrincipals", "NotPrincipal")):
        if item.get(key):
            found[name] = (
                "*"
                if item[key][0]["type"] == "*"
                else {who["type"]: _one(list(who["identifiers"])) for who in item[key]}
            )
    conditions: dict[str, dict[str, Any]] = {}
    for rule in item.get("conditions") or ():
        conditions.setdefault(rule["test"], {})[rule["variable"]] = _one(list(rule["values"]))
    if conditions:
        found["Condition"] = conditions
    return found


@functools.cache
def priced_types() -> dict[str, set[str]]:
    """Instance types by region, from the dated price list of the project."""
    found: dict[str, set[str]] = {}
    if _PRICES.exists():
        lines = (line for line in _PRICES.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
        for line in csv.DictReader(lines):
            kind = line.get("instance_type") or line.get("type") or line.get("name") or ""
            found.setdefault(line.get("region", ""), set()).add(kind)
    return found


@serves("aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings")
def offerings(asked: Question) -> dict[str, Any]:
    """Types that the price list has in this region, in every zone asked for."""
    wanted: dict[str, list[str]] = {item["name"]: list(item["values"]) for item in asked.args.get("filters") or ()}
    types = sorted(priced_types().get(asked.region, set()))
    if "instance-type" in wanted:
        types = [kind for kind in types if kind in wanted["instance-type"]]
    places = wanted.get("location") or [asked.region]
    pairs = [(kind, place) for kind in types for place in places]
    return {
        **asked.args, "id": asked.region, "instanceTypes": [kind for kind, _ in pairs], "locations": [place for _, place in pairs],  # noqa: E501 - one message, one line
        "locationTypes": [str(asked.args.get("locationType") or "region")] * len(pairs), "region": asked.region,
    }  # fmt: skip


@serves("aws:servicequotas/getServiceQuota:getServiceQuota")
def quota(asked: Question) -> dict[str, Any]:
    """Quotas as a new account has them, but for vCPUs: 5,120."""
    code = str(asked.args.get("quotaCode") or "L-00000000")
    service = str(asked.args["serviceCode"])
    part = partition(asked.region)[0]
    value = 5120.0 if service == "ec2" else 100.0
    return {
        **asked.args, "id": f"{service}/{code}", "quotaCode": code, "quotaName": str(asked.args.get("quotaName") or code), "value": value,  # noqa: E501 - one message, one line
        "defaultValue": value, "adjustable": True, "globalQuota": False, "serviceName": service, "usageMetrics": [],
        "arn": f"arn:{part}:servicequotas:{asked.region}:{asked.connection.scope}:{service}/{code}",
    }  # fmt: skip


@serves("aws:eks/getCluster:getCluster", "aws:eks/getClusterAuth:getClusterAuth")
def cluster(asked: Question) -> dict[str, Any]:
    """A cluster that exists."""
    things = asked.database.find("type=? AND scope=? AND id=? AND region=?",
                                 ("aws:eks/cluster:Cluster", asked.connection.scope, asked.args["name"], asked.region))  # fmt: skip  # noqa: E501 - one message, one line
    if not things:
        raise Refused(
            "ResourceNotFoundException", f"No cluster found for name: {asked.args['name']}.", grpc.StatusCode.NOT_FOUND
        )
    return {**things[0].outputs, "id": things[0].id}
