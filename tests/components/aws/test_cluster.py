"""A cluster of EKS, as a cloud of memory was asked for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pytest

from components.aws.account import Account, AccountArgs
from components.aws.addons import VPC_CNI
from components.aws.cluster import Cluster
from components.aws.cluster_access import principals_of
from components.aws.instance_types import ami_type
from components.aws.network import Network
from components.aws.releases import RELEASES, release_of
from components.contracts import ClusterArgs, NetworkArgs, SizedPool
from stacks.addresses import plan_region
from stacks.model import Addresses, ControlPlaneAccess, NodePool, Region, Taint
from stacks.off_hours import OffHours
from tests.components.mock_cloud import Cloud

ACCOUNT = "123456789012"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/ci/Deployer"
PRIVATE = ControlPlaneAccess(deployers=(DEPLOYER, "someone@example.org"))
EVIDENCE = "a" * 52
CLUSTER, NODES = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"


def pool(key: str, instance_type: str = "m7g.xlarge", **wish: Any) -> SizedPool:
    name, slot = key.rsplit("-", 1)
    return SizedPool(
        key=key,
        pool=name,
        slot=int(slot),
        wish=NodePool(**{"min": 1, "max": 9, **wish}),
        instance_type=pulumi.Output.from_input(instance_type),
        minimum=1,
        desired=pulumi.Output.from_input(2),
        maximum=9,
        evidence=EVIDENCE,
    )


def sized() -> dict[str, SizedPool]:
    taint = Taint(key="ecosystem.dev/spot", effect="PreferNoSchedule")
    return {
        "system-0": pool("system-0", purpose="system"),
        "general-0": pool("general-0", "m7i.2xlarge", labels={"tier": "apps"}),
        "burst-0": pool("burst-0", "c7g.large", spot="only", taints=(taint,)),
    }


def build(
    cloud: Cloud,
    access: ControlPlaneAccess = PRIVATE,
    pools: Mapping[str, SizedPool] | None = None,
    zones: int = 3,
    then: Callable[[Cluster], object] = lambda _: None,
    **more: Any,
) -> Cluster:
    """Build the cluster of eu-west-1 and hand it back."""
    built: list[Cluster] = []

    def program() -> None:
        account = Account("aws", AccountArgs(account_id=ACCOUNT, region="eu-west-1"))
        wish = Region(zones=zones)
        plan = plan_region(Addresses(block=IPv4Network("10.0.0.0/8")), "aws", "eu-west-1", wish)
        here = pulumi.ResourceOptions(provider=account.provider)
        same: dict[str, Any] = {"environment": "test", "region": "eu-west-1", "wish": wish, "plan": plan}
        network = Network("aws-eu-west-1-network", NetworkArgs(**same, clusters=("aws-eu-west-1",)), here)
        args = ClusterArgs(
            **{"version": "1.34", **same, **more},
            channel="stable",
            access=access,
            pools=sized() if pools is None else pools,
        )
        built.append(Cluster("aws-eu-west-1", args, network, here))
        then(built[0])

    cloud.build(program)
    return built[0]


def test_the_control_plane_is_closed_encrypted_and_logged(cloud: Cloud) -> None:
    build(cloud)
    (cluster,) = cloud.of_type(CLUSTER).values()
    access = cluster["vpcConfig"]
    assert (access["endpointPrivateAccess"], access["endpointPublicAccess"]) == (True, False)
    assert "publicAccessCidrs" not in access
    assert len(access["subnetIds"]) == 3
    assert len(cluster["enabledClusterLogTypes"]) == 5
    assert cluster["encryptionConfig"]["resources"] == ["secrets"]
    assert cluster["encryptionConfig"]["provider"]["keyArn"].startswith("arn:aws:kms:")
    assert cluster["accessConfig"] == {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    assert cluster["upgradePolicy"] == {"supportType": "STANDARD"}
    assert (cluster["name"], cluster["version"]) == ("test-eu-west-1", "1.34")
    logs = cloud.of_type("aws:cloudwatch/logGroup:LogGroup")["aws-eu-west-1"]
    assert (logs["name"], logs["retentionInDays"]) == ("/aws/eks/test-eu-west-1/cluster", 365)


def test_a_restricted_endpoint_lists_who_reaches_it(cloud: Cloud) -> None:
    office = IPv4Network("198.51.100.0/24")
    build(cloud, ControlPlaneAccess(mode="restricted", allowed_cidrs=(office,), deployers=(DEPLOYER,)))
    access = cloud.of_type(CLUSTER)["aws-eu-west-1"]["vpcConfig"]
    assert (access["endpointPublicAccess"], access["publicAccessCidrs"]) == (True, ["198.51.100.0/24"])
    assert access["endpointPrivateAccess"] is True


@pytest.mark.parametrize("zones", [1, 2, 3])
def test_nodes_stay_in_their_zones_and_the_control_plane_has_two(cloud: Cloud, zones: int) -> None:
    build(cloud, zones=zones)
    cluster = cloud.of_type(CLUSTER)["aws-eu-west-1"]
    assert len(cluster["vpcConfig"]["subnetIds"]) == max(2, zones)
    assert cluster["zonalShiftConfig"] == {"enabled": zones > 1}
    for group in cloud.of_type(NODES).values():
        assert group["subnetIds"] == [f"aws-eu-west-1-network-private-{key}-id" for key in "abc"[:zones]]


def test_service_addresses_are_inside_what_eks_takes(cloud: Cloud) -> None:
    build(cloud)
    block = IPv4Network(cloud.of_type(CLUSTER)["aws-eu-west-1"]["kubernetesNetworkConfig"]["serviceIpv4Cidr"])
    assert 12 <= block.prefixlen <= 24
    assert block.is_private


def test_node_groups_are_what_the_plan_says(cloud: Cloud) -> None:
    build(cloud)
    groups = cloud.of_type(NODES)
    general, burst = groups["aws-eu-west-1-general-0"], groups["aws-eu-west-1-burst-0"]
    assert general["instanceTypes"] == ["m7i.2xlarge"]
    assert (general["amiType"], burst["amiType"]) == ("AL2023_x86_64_STANDARD", "AL2023_ARM_64_STANDARD")
    assert (general["capacityType"], burst["capacityType"]) == ("ON_DEMAND", "SPOT")
    assert general["scalingConfig"] == {"minSize": 1, "desiredSize": 2, "maxSize": 9}
    assert general["labels"] == {"tier": "apps", "ecosystem.dev/pool": "general", "ecosystem.dev/slot": "0"}
    assert burst["taints"] == [{"key": "ecosystem.dev/spot", "effect": "PREFER_NO_SCHEDULE"}]
    assert general["tags"]["optimizer-evidence"] == EVIDENCE
    assert general["tags"]["k8s.io/cluster-autoscaler/test-eu-west-1"] == "owned"
    assert general["releaseVersion"] == RELEASES["1.34"].node_image
    assert general["nodeRepairConfig"] == {"enabled": True}
    assert general["updateConfig"] == {"maxUnavailablePercentage": 33}
    assert "remoteAccess" not in general
    assert "nodeGroupName" not in general  # autonamed: a new type stands before the old one goes


def test_machines_are_closed_and_do_not_change_with_the_plan(cloud: Cloud) -> None:
    build(cloud)
    template = cloud.of_type("aws:ec2/launchTemplate:LaunchTemplate")["aws-eu-west-1-general-0"]
    options = template["metadataOptions"]
    assert (options["httpTokens"], options["httpPutResponseHopLimit"]) == ("required", 1)
    (disk,) = template["blockDeviceMappings"]
    assert (disk["ebs"]["encrypted"], disk["ebs"]["volumeType"]) == ("true", "gp3")
    assert disk["ebs"]["kmsKeyId"].startswith("arn:aws:kms:")
    assert EVIDENCE not in json.dumps(template)
    assert "instanceType" not in template


def test_each_deployer_has_an_entry_of_its_own(cloud: Cloud) -> None:
    build(cloud)
    (entry,) = cloud.of_type("aws:eks/accessEntry:AccessEntry").values()
    (admin,) = cloud.of_type("aws:eks/accessPolicyAssociation:AccessPolicyAssociation").values()
    assert entry["principalArn"] == admin["principalArn"] == DEPLOYER
    assert admin["policyArn"].endswith("cluster-access-policy/AmazonEKSClusterAdminPolicy")
    assert principals_of((DEPLOYER,)) == {"123456789012-role-ci-deployer": DEPLOYER}


def test_addons_are_pinned_and_pods_have_identities(cloud: Cloud) -> None:
    build(cloud)
    addons = {addon["addonName"]: addon for addon in cloud.of_type("aws:eks/addon:Addon").values()}
    assert set(addons) == {"vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver", "eks-pod-identity-agent"}
    assert addons["vpc-cni"]["configurationValues"] == VPC_CNI
    assert json.loads(VPC_CNI)["enableNetworkPolicy"] == "true"
    assert json.loads(VPC_CNI)["env"]["ENABLE_PREFIX_DELEGATION"] == "true"
    assert all("eksbuild" in addon["addonVersion"] for addon in addons.values())
    accounts = cloud.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation").values()
    assert {one["serviceAccount"] for one in accounts} == {"aws-node", "ebs-csi-controller-sa"}


def test_autoscaling_may_use_the_key_of_disks_and_nobody_may_do_everything(cloud: Cloud) -> None:
    build(cloud)
    (grant,) = cloud.of_type("aws:kms/grant:Grant").values()
    assert grant["granteePrincipal"].endswith("/AWSServiceRoleForAutoScaling")
    assert "CreateGrant" in grant["operations"]
    for key in cloud.of_type("aws:kms/key:Key").values():
        keepers, *users = json.loads(key["policy"])["Statement"]
        assert users
        assert not any(one["Principal"] == keepers["Principal"] for one in users)


def test_roles_are_bounded_and_services_act_for_this_cluster_only(cloud: Cloud) -> None:
    build(cloud)
    for name, role in cloud.of_type("aws:iam/role:Role").items():
        assert role["permissionsBoundary"]
        (statement,) = json.loads(role["assumeRolePolicy"])["Statement"]
        if name != "aws-eu-west-1-nodes":  # EC2 does not say for whom it assumes a role
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_only_https_leaves_for_the_world(cloud: Cloud) -> None:
    build(cloud)
    outgoing = cloud.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule").values()
    world = [rule for rule in outgoing if rule.get("cidrIpv4") == "0.0.0.0/0"]
    assert [(rule["ipProtocol"], rule["fromPort"], rule["toPort"]) for rule in world] == [("tcp", 443, 443)]
    incoming = cloud.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").values()
    assert not [rule for rule in incoming if rule.get("cidrIpv4") == "0.0.0.0/0"]
    assert all(rule["description"] for rule in [*outgoing, *incoming])


def test_the_kubernetes_provider_asks_for_a_token_and_stores_none(cloud: Cloud) -> None:
    cluster = build(cloud)
    config = json.loads(cloud.of_type("pulumi:providers:kubernetes")["aws-eu-west-1"]["kubeconfig"])
    (user,) = config["users"]
    assert set(user["user"]) == {"exec"}
    assert user["user"]["exec"]["args"][:4] == ["eks", "get-token", "--cluster-name", "test-eu-west-1"]
    assert "--region" in user["user"]["exec"]["args"]
    assert config["clusters"][0]["cluster"]["server"].startswith("https://")
    assert (cluster.name, cluster.cloud, cluster.region) == ("aws-eu-west-1", "aws", "eu-west-1")
    assert set(cluster.node_pools) == set(sized())


def test_everything_has_an_explicit_provider_a_region_and_a_name_of_its_component(cloud: Cloud) -> None:
    build(cloud)
    assert cloud.without_provider() == []
    for asked in cloud.asked:
        if asked.custom and asked.typ.startswith("aws:") and not asked.typ.startswith("aws:iam/"):
            assert asked.inputs.get("region") == "eu-west-1", asked.name
    assert len({(asked.typ, asked.name) for asked in cloud.asked}) == len(cloud.asked)


def test_a_cluster_without_pools_still_stands(cloud: Cloud) -> None:
    build(cloud, pools={})
    assert not cloud.of_type(NODES)


def test_protection_is_the_files_wish(cloud: Cloud) -> None:
    build(cloud, protect=True)
    assert cloud.of_type(CLUSTER)["aws-eu-west-1"]["deletionProtection"] is True


def test_an_unknown_version_and_an_open_endpoint_are_refused(cloud: Cloud) -> None:
    with pytest.raises(ValueError, match=r"use one of 1\.33, 1\.34"):
        release_of("1.20")
    with pytest.raises(ValueError, match="needs allowed_cidrs"):
        build(cloud, ControlPlaneAccess.model_construct(mode="restricted", allowed_cidrs=(), deployers=(DEPLOYER,)))


@pytest.mark.parametrize("version", sorted(RELEASES))
def test_releases_belong_to_their_version(version: str) -> None:
    release = RELEASES[version]
    assert release.kube_proxy.startswith(f"v{version}.")
    assert release.node_image.startswith(f"{version}.")


@pytest.mark.parametrize(
    ("instance_type", "image"),
    [
        ("m7i.large", "AL2023_x86_64_STANDARD"),
        ("m7g.large", "AL2023_ARM_64_STANDARD"),
        ("t4g.small", "AL2023_ARM_64_STANDARD"),
        ("a1.large", "AL2023_ARM_64_STANDARD"),
        ("im4gn.large", "AL2023_ARM_64_STANDARD"),
        ("c6a.24xlarge", "AL2023_x86_64_STANDARD"),
        ("g6.xlarge", "AL2023_x86_64_NVIDIA"),
        ("g5g.xlarge", "AL2023_ARM_64_NVIDIA"),
        ("p5.48xlarge", "AL2023_x86_64_NVIDIA"),
        ("inf2.xlarge", "AL2023_x86_64_NEURON"),
        ("m7i-flex.large", "AL2023_x86_64_STANDARD"),
        ("u7i-6tb.112xlarge", "AL2023_x86_64_STANDARD"),
    ],
)
def test_the_image_follows_from_the_type(instance_type: str, image: str) -> None:
    assert ami_type(instance_type) == image


def test_a_text_that_is_no_type_is_refused() -> None:
    with pytest.raises(ValueError, match="is not an instance type"):
        ami_type("Standard_D4s_v5")


def test_pools_that_rest_are_lowered_and_raised_by_the_clock(cloud: Cloud) -> None:
    """The least number alone: what runs goes by the autoscaler, and the most stays the plan's."""
    wish = {"time_zone": "Europe/Berlin", "exceptions": ["2026-12-05"], "pools": {"general": 0}}
    build(cloud, pools=sized(), off_hours=OffHours.model_validate_json(json.dumps(wish)))
    found = list(cloud.of_type("aws:autoscaling/schedule:Schedule").values())
    assert len(found) == 4
    assert {each["maxSize"] for each in found} == {each["desiredCapacity"] for each in found} == {-1}
    assert len({each["scheduledActionName"] for each in found}) == 4
    weekly = {each["recurrence"]: each["minSize"] for each in found if each.get("recurrence")}
    assert weekly == {"0 7 * * 1,2,3,4,5": 1, "0 20 * * 1,2,3,4,5": 0}
    assert {each.get("timeZone") for each in found if each.get("recurrence")} == {"Europe/Berlin"}
    once = {each["startTime"]: each["minSize"] for each in found if each.get("startTime")}
    assert once == {"2026-12-05T06:00:00Z": 1, "2026-12-05T19:00:00Z": 0}
    assert not [each for each in found if not each["autoscalingGroupName"]]


def test_without_hours_no_pool_is_touched(cloud: Cloud) -> None:
    build(cloud, pools=sized())
    assert cloud.of_type("aws:autoscaling/schedule:Schedule") == {}
