"""Common tags reach every taggable resource, and the idempotency tag is the hash of the engine's URN."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes
import pytest

from components import tagging
from tests.components.mock_cloud import Cloud

TAGS = {"environment": "test", "owner": "platform", "charter-version": "1.0", "managed-by": "pulumi"}


class House(pulumi.ComponentResource):
    """A component with one room."""

    def __init__(
        self, name: str, tags: dict[str, str] | None = None, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("ecosystem:test:House", name, {}, opts)
        self.room = aws.ec2.Vpc(
            f"{name}-room", cidr_block="10.0.0.0/16", tags=tags, opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({})


class Street(pulumi.ComponentResource):
    """A component of components."""

    def __init__(self, name: str) -> None:
        super().__init__("ecosystem:test:Street", name, {})
        self.house = House(f"{name}-house", opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def install() -> None:
    pulumi.runtime.register_stack_transformation(tagging.Tagging(TAGS))


def test_tags_are_filled_and_the_idempotency_tag_is_the_hash_of_the_urn(cloud: Cloud) -> None:
    def program() -> None:
        install()
        Street("high")
        aws.ec2.Vpc("alone", cidr_block="10.1.0.0/16")

    vpcs = cloud.build(program).of_type("aws:ec2/vpc:Vpc")

    start = "urn:pulumi:test::cloud-ecosystem::"  # as the engine writes it; the mocks' own URNs hold one parent only
    nested = f"{start}ecosystem:test:Street$ecosystem:test:House$aws:ec2/vpc:Vpc::high-house-room"
    alone = f"{start}aws:ec2/vpc:Vpc::alone"
    assert vpcs["high-house-room"]["tags"] == {**TAGS, "idempotency": tagging.idempotency(nested)}
    assert vpcs["alone"]["tags"]["idempotency"] == tagging.idempotency(alone)


def test_own_tags_stay_beside_the_common_ones(cloud: Cloud) -> None:
    def program() -> None:
        install()
        House("home", {"Name": "home"})

    tags = cloud.build(program).of_type("aws:ec2/vpc:Vpc")["home-room"]["tags"]
    assert tags["Name"] == "home"
    assert tags["owner"] == "platform"


def test_a_common_tag_with_another_value_is_refused(cloud: Cloud) -> None:
    def program() -> None:
        install()
        House("home", {"owner": "someone"})

    with pytest.raises(ValueError, match="owner is a common tag"):
        cloud.build(program)


def test_tags_that_are_an_output_are_merged(cloud: Cloud) -> None:
    def program() -> None:
        install()
        aws.ec2.Vpc("later", cidr_block="10.0.0.0/16", tags=pulumi.Output.from_input({"Name": "later"}))

    tags = cloud.build(program).of_type("aws:ec2/vpc:Vpc")["later"]["tags"]
    assert (tags["Name"], tags["environment"]) == ("later", "test")


def test_google_labels_are_spelt_its_way_and_reach_the_machines(cloud: Cloud) -> None:
    def program() -> None:
        install()
        gcp.container.Cluster("c", location="europe-west1")
        gcp.container.NodePool(
            "p", cluster="c", node_config=gcp.container.NodePoolNodeConfigArgs(machine_type="e2-small")
        )
        gcp.compute.Network("n")

    cloud.build(program)
    assert cloud.of_type("gcp:container/cluster:Cluster")["c"]["resourceLabels"]["charter-version"] == "1-0"
    labels = cloud.of_type("gcp:container/nodePool:NodePool")["p"]["nodeConfig"]["resourceLabels"]
    assert labels["owner"] == "platform"
    assert cloud.of_type("gcp:compute/network:Network")["n"] == {}


def test_launch_templates_pass_tags_on_to_instances(cloud: Cloud) -> None:
    def program() -> None:
        install()
        aws.ec2.LaunchTemplate(
            "t",
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type="instance", tags={"Name": "node"})
            ],
        )

    (specification,) = cloud.build(program).of_type("aws:ec2/launchTemplate:LaunchTemplate")["t"]["tagSpecifications"]
    assert specification["tags"] == {"Name": "node", **TAGS}


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {"name": "n", "labels": {"tier": "x"}},
        kubernetes.meta.v1.ObjectMetaArgs(name="n", labels={"tier": "x"}),
        pulumi.Output.from_input({"name": "n"}),
    ],
    ids=["none", "dict", "args", "output"],
)
def test_kubernetes_objects_are_labelled(cloud: Cloud, metadata: Any) -> None:
    def program() -> None:
        install()
        kubernetes.core.v1.Namespace("ns", metadata=metadata)

    labels = cloud.build(program).of_type("kubernetes:core/v1:Namespace")["ns"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/managed-by"] == "pulumi"
    assert labels["ecosystem.dev/owner"] == "platform"
    assert labels.get("tier", "x") == "x"


def test_a_chart_keeps_its_own_manager_and_a_patch_is_left_alone(cloud: Cloud) -> None:
    def program() -> None:
        install()
        kubernetes.core.v1.Namespace("ns", metadata={"labels": {"app.kubernetes.io/managed-by": "Helm"}})
        kubernetes.core.v1.NamespacePatch("patch", metadata={"name": "default"})

    cloud.build(program)
    labels = cloud.of_type("kubernetes:core/v1:Namespace")["ns"]["metadata"]["labels"]
    assert labels["app.kubernetes.io/managed-by"] == "Helm"
    assert "labels" not in cloud.of_type("kubernetes:core/v1:NamespacePatch")["patch"]["metadata"]


def test_installing_after_a_parent_was_made_is_refused(cloud: Cloud) -> None:
    def program() -> None:
        house = pulumi.ComponentResource("ecosystem:test:Old", "old")
        install()
        aws.ec2.Vpc("late", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(parent=house))

    cloud.build(program)
    assert (
        "tags" not in cloud.of_type("aws:ec2/vpc:Vpc")["late"]
    )  # the engine's SDK hands transformations down at birth


def test_what_can_be_tagged_is_read_from_the_sdk() -> None:
    assert tagging.carriers(aws.ec2.Vpc, "aws") == ("tags",)
    assert tagging.carriers(aws.autoscaling.Group, "aws") == ()  # a list of objects
    assert tagging.carriers(aws.ec2.Route, "aws") == ()


@pytest.mark.parametrize(("text", "label"), [("Fin Ops", "fin-ops"), ("1.0", "1-0"), ("x" * 70, "x" * 63)])
def test_spelling_of_google_labels(text: str, label: str) -> None:
    assert tagging.google_label(text) == label
