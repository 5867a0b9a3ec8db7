"""A region's network on AWS: private by default, with a way out and a way to the services of AWS."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.endpoints import Endpoints, EndpointsArgs
from components.aws.flow_logs import FlowLogs, FlowLogsArgs
from components.aws.key import Key, KeyArgs, used_by_logs
from components.aws.names import physical_name
from components.aws.routing import Routing, RoutingArgs
from components.contracts import NetworkArgs

ZONE_KEYS: Final = ("a", "b", "c")


class Network(pulumi.ComponentResource):
    """One VPC, a public and a private subnet in every zone, two or more subnets for control planes.

    Needs `opts.provider` to be the provider of an `Account`.
    """

    region: str
    network_id: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[list[str]]
    control_subnet_ids: pulumi.Output[list[str]]
    private_subnets: Mapping[str, pulumi.Output[str]]  # by zone: a, b, c
    nat_addresses: pulumi.Output[list[str]]
    logs_key_arn: pulumi.Output[str]
    inner_tables: Mapping[str, pulumi.Output[str]]  # route tables of the private and control-plane subnets
    ready: pulumi.Resource

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Network", name, {"cidr": str(args.plan.network)}, opts)
        self._name = name
        self._args = args
        self.region = args.region
        child = pulumi.ResourceOptions(parent=self)
        self._vpc = vpc = aws.ec2.Vpc(
            name,
            cidr_block=str(args.plan.network),
            enable_dns_support=True,
            enable_dns_hostnames=True,
            region=args.region,
            tags={"Name": name},
            opts=child,
        )
        public: dict[str, aws.ec2.Subnet] = {
            zone.key: self._subnet("public", zone.key, zone.public) for zone in args.plan.zones
        }
        private: dict[str, aws.ec2.Subnet] = {
            zone.key: self._subnet("private", zone.key, zone.private) for zone in args.plan.zones
        }
        control = {
            key: self._subnet("control", key, cidr)
            for key, cidr in zip(ZONE_KEYS, args.plan.control_plane, strict=False)
        }
        routing = Routing(
            name,
            RoutingArgs(
                region=args.region,
                vpc_id=vpc.id,
                nat=args.wish.nat,
                public=public,
                private=private,
                control=control,
            ),
            child,
        )
        endpoints = Endpoints(
            f"{name}-endpoints",
            EndpointsArgs(
                region=args.region,
                vpc_id=vpc.id,
                vpc_cidr=str(args.plan.network),
                route_table_ids=[table.id for table in routing.tables.values()],
                subnet_ids=[subnet.id for subnet in private.values()],
            ),
            child,
        )
        self._watch()
        self.network_id = vpc.id
        self.private_subnets = {key: subnet.id for key, subnet in private.items()}
        self.private_subnet_ids = pulumi.Output.all(*self.private_subnets.values())
        self.control_subnet_ids = pulumi.Output.all(*(subnet.id for subnet in control.values()))
        self.nat_addresses = routing.nat_addresses
        self.inner_tables = {key: table.id for key, table in routing.tables.items() if key != "public"}
        self.ready = aws.ec2.DefaultSecurityGroup(  # adopted without any rule: nothing can live in it by accident
            f"{name}-default",
            vpc_id=vpc.id,
            ingress=[],
            egress=[],
            region=args.region,
            tags={"Name": f"{name}-locked"},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*routing.ready, *endpoints.ready]),
        )
        self.register_outputs({"network_id": self.network_id, "private_subnet_ids": self.private_subnet_ids})

    def _subnet(self, tier: str, key: str, cidr: IPv4Network) -> aws.ec2.Subnet:
        name = f"{self._name}-{tier}-{key}"
        return aws.ec2.Subnet(
            name,
            vpc_id=self._vpc.id,
            availability_zone=f"{self._args.region}{key}",
            cidr_block=str(cidr),
            map_public_ip_on_launch=False,
            region=self._args.region,
            tags={"Name": name, "ecosystem.dev/tier": tier, **self._discovery(tier)},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _discovery(self, tier: str) -> dict[str, str]:
        """Tags that the load balancer controller and Karpenter look for.

        Source: docs.aws.amazon.com/eks/latest/userguide/network-reqs.html and
        karpenter.sh/docs/concepts/nodeclasses/#specsubnetselectorterms, 2026-11.
        """
        if tier == "control" or not self._args.clusters:
            return {}
        cluster = physical_name(self._args.environment, self._args.region)
        tags = {f"kubernetes.io/cluster/{cluster}": "shared"}
        if tier == "public":
            return {**tags, "kubernetes.io/role/elb": "1"}
        return {**tags, "kubernetes.io/role/internal-elb": "1", "karpenter.sh/discovery": cluster}

    def _watch(self) -> None:
        args, account = self._args, account_of(self)
        key = Key(
            f"{self._name}-logs",
            KeyArgs(
                description=f"Logs of {args.environment} in {args.region}",
                region=args.region,
                users=used_by_logs(args.region, account.account_id, account.partition, account.dns_suffix),
                protect=args.protect,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        self.logs_key_arn = key.arn
        FlowLogs(
            f"{self._name}-flow",
            FlowLogsArgs(region=args.region, vpc_id=self._vpc.id, key_arn=key.arn, protect=args.protect),
            pulumi.ResourceOptions(parent=self),
        )
