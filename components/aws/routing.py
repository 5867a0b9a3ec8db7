"""How traffic leaves: the internet gateway, NAT gateways as the stack file wishes, one route table per zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import pulumi
import pulumi_aws as aws

WORLD: Final = "0.0.0.0/0"
NAT_TIMEOUT: Final = pulumi.CustomTimeouts(create="10m", update="10m", delete="30m")


@dataclass(frozen=True, kw_only=True)
class RoutingArgs:
    """Subnets by zone (`a`, `b`, `c`), in the order of the plan."""

    region: str
    vpc_id: pulumi.Input[str]
    nat: Literal["none", "single", "per_zone"]
    public: Mapping[str, aws.ec2.Subnet]
    private: Mapping[str, aws.ec2.Subnet]
    control: Mapping[str, aws.ec2.Subnet]


class Routing(pulumi.ComponentResource):
    """Public subnets reach the internet, private ones its NAT of the wish, control-plane subnets the VPC only."""

    tables: Mapping[str, aws.ec2.RouteTable]
    nat_addresses: pulumi.Output[list[str]]
    ready: tuple[pulumi.Resource, ...]

    def __init__(self, name: str, args: RoutingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Routing", name, {"nat": args.nat}, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._last: list[pulumi.Resource] = []
        gateway = aws.ec2.InternetGateway(
            f"{name}-internet", vpc_id=args.vpc_id, region=args.region, tags={"Name": name}, opts=self._child
        )
        public = self._table("public", args.public)
        way_out = self._route("public", public, gateway_id=gateway.id)
        natted = {"none": [], "single": list(args.public)[:1], "per_zone": list(args.public)}[args.nat]
        addresses = {zone: self._address(zone, way_out) for zone in natted}
        gateways = {zone: self._nat(zone, addresses[zone], way_out) for zone in natted}
        self.tables = {"public": public, "control": self._table("control", args.control)}
        for zone, subnet in args.private.items():
            self.tables[f"private-{zone}"] = table = self._table(f"private-{zone}", {zone: subnet})
            if gateways:
                nat = gateways.get(zone) or gateways[natted[0]]
                self._route(f"private-{zone}", table, nat_gateway_id=nat.id)
        self.nat_addresses = pulumi.Output.all(*(address.public_ip for address in addresses.values()))
        self.ready = tuple(self._last)
        self.register_outputs({"nat_addresses": self.nat_addresses})

    def _table(self, key: str, subnets: Mapping[str, aws.ec2.Subnet]) -> aws.ec2.RouteTable:
        name = f"{self._name}-{key}"
        table = aws.ec2.RouteTable(
            name, vpc_id=self._args.vpc_id, region=self._args.region, tags={"Name": name}, opts=self._child
        )
        for zone, subnet in subnets.items():
            association = name if key.endswith(f"-{zone}") else f"{name}-{zone}"
            self._last.append(
                aws.ec2.RouteTableAssociation(
                    association,
                    route_table_id=table.id,
                    subnet_id=subnet.id,
                    region=self._args.region,
                    opts=self._child,
                )
            )
        return table

    def _route(
        self,
        key: str,
        table: aws.ec2.RouteTable,
        *,
        gateway_id: pulumi.Input[str] | None = None,
        nat_gateway_id: pulumi.Input[str] | None = None,
    ) -> aws.ec2.Route:
        route = aws.ec2.Route(
            f"{self._name}-{key}",
            route_table_id=table.id,
            destination_cidr_block=WORLD,
            gateway_id=gateway_id,
            nat_gateway_id=nat_gateway_id,
            region=self._args.region,
            opts=self._child,
        )
        self._last.append(route)
        return route

    def _address(self, zone: str, way_out: aws.ec2.Route) -> aws.ec2.Eip:
        name = f"{self._name}-nat-{zone}"
        return aws.ec2.Eip(
            name,
            domain="vpc",
            region=self._args.region,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[way_out]),
        )

    def _nat(self, zone: str, address: aws.ec2.Eip, way_out: aws.ec2.Route) -> aws.ec2.NatGateway:
        name = f"{self._name}-nat-{zone}"
        return aws.ec2.NatGateway(
            name,
            allocation_id=address.id,
            subnet_id=self._args.public[zone].id,
            connectivity_type="public",
            region=self._args.region,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[way_out], custom_timeouts=NAT_TIMEOUT),
        )
