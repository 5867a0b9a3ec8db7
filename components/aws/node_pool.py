"""One slot of a pool: a managed node group of one instance type, sized by the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.hours import HoursArgs, keep
from components.aws.instance_types import ami_type
from components.contracts import SizedPool
from stacks.off_hours import OffHours

DISK_GIB: Final = 50
EFFECTS: Final[Mapping[str, str]] = {
    "NoSchedule": "NO_SCHEDULE",
    "PreferNoSchedule": "PREFER_NO_SCHEDULE",
    "NoExecute": "NO_EXECUTE",
}
NODES_TIMEOUT: Final = pulumi.CustomTimeouts(create="30m", update="60m", delete="60m")


@dataclass(frozen=True, kw_only=True)
class NodePoolArgs:
    """`cluster` is the physical name and `cluster_name` the same from the cluster, once it is there."""

    cluster: str
    cluster_name: pulumi.Input[str]
    region: str
    version: str
    node_image: str
    pool: SizedPool
    role_arn: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    security_group_id: pulumi.Input[str]
    disk_key_arn: pulumi.Input[str]
    off_hours: OffHours | None = None
    after: Sequence[pulumi.Resource] = ()


class NodePool(pulumi.ComponentResource):
    """A launch template and its node group; another instance type is a new group before the old one goes."""

    node_group: aws.eks.NodeGroup

    def __init__(self, name: str, args: NodePoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:NodePool", name, {}, opts)
        pool = args.pool
        template = self._template(name, args)
        self.node_group = aws.eks.NodeGroup(
            name,
            cluster_name=args.cluster_name,
            node_role_arn=args.role_arn,
            subnet_ids=args.subnet_ids,
            instance_types=[pool.instance_type],
            ami_type=pulumi.Output.from_input(pool.instance_type).apply(ami_type),
            capacity_type="SPOT" if pool.wish.spot == "only" else "ON_DEMAND",
            version=args.version,
            release_version=args.node_image,
            launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(lambda number: str(int(number)))
            ),
            scaling_config=aws.eks.NodeGroupScalingConfigArgs(
                min_size=pool.minimum, desired_size=pool.desired, max_size=pool.maximum
            ),
            update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable_percentage=33),
            node_repair_config=aws.eks.NodeGroupNodeRepairConfigArgs(enabled=True),
            labels=labels_of(pool),
            taints=[
                aws.eks.NodeGroupTaintArgs(key=taint.key, value=taint.value or None, effect=EFFECTS[taint.effect])
                for taint in pool.wish.taints
            ],
            tags={
                "optimizer-evidence": pool.evidence,
                "k8s.io/cluster-autoscaler/enabled": "true",
                f"k8s.io/cluster-autoscaler/{args.cluster}": "owned",
            },
            region=args.region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.after), custom_timeouts=NODES_TIMEOUT),
        )
        if args.off_hours is not None and pool.pool in args.off_hours.pools:
            group = self.node_group.resources.apply(lambda held: held[0].autoscaling_groups[0].name)
            stays = args.off_hours.pools[pool.pool]
            rest = HoursArgs(group=group, region=args.region, hours=args.off_hours, least=pool.minimum, stays=stays)
            keep(name, rest, pulumi.ResourceOptions(parent=self))
        self.register_outputs({"pool": pool.key})

    def _template(self, name: str, args: NodePoolArgs) -> aws.ec2.LaunchTemplate:
        """Describe the machines; nothing of the plan stands here, because a new version replaces every node."""
        named = {"Name": name, "ecosystem.dev/pool": args.pool.pool}
        return aws.ec2.LaunchTemplate(
            name,
            description=f"Nodes of {args.pool.key} in {args.cluster}",
            update_default_version=True,
            vpc_security_group_ids=[args.security_group_id],
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            monitoring=aws.ec2.LaunchTemplateMonitoringArgs(enabled=True),
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name="/dev/xvda",
                    ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                        volume_type="gp3",
                        volume_size=DISK_GIB,
                        encrypted="true",
                        kms_key_id=args.disk_key_arn,
                        delete_on_termination="true",
                    ),
                )
            ],
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=named)
                for kind in ("instance", "volume", "network-interface")
            ],
            region=args.region,
            opts=pulumi.ResourceOptions(parent=self),
        )


def labels_of(pool: SizedPool) -> dict[str, str]:
    """Labels that workloads select nodes by: the stack file's own, then which pool and slot this is."""
    return {**pool.wish.labels, "ecosystem.dev/pool": pool.pool, "ecosystem.dev/slot": str(pool.slot)}
