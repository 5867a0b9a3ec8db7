"""A region's network on Google Cloud."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts import NetworkArgs
from components.gcp import firewall, google_apis
from components.gcp.account import Account, account_of

PODS_RANGE: Final = "pods"
SERVICES_RANGE: Final = "services"

NAT_KEYS: Final = ("a", "b", "c")


def nat_keys(nat: str, zones: int) -> tuple[str, ...]:
    """Return a key per static address of the NAT.

    Cloud NAT is regional and survives a zone by itself: `single` and `per_zone` differ in the number of addresses
    (64,512 ports each), not in availability.
    """
    return NAT_KEYS[: {"none": 0, "single": 1, "per_zone": zones}[nat]]


class Network(pulumi.ComponentResource):
    """One custom-mode VPC with one subnet for nodes, pods and services; closed both ways, with a way out.

    A VPC of Google is global, ours is one per region: regions stay apart and one can go without the others.
    """

    region: str
    account: Account
    network_id: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[list[str]]
    nodes_subnet: gcp.compute.Subnetwork
    vpc: gcp.compute.Network
    ready: pulumi.Resource

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:gcp:Network", name, {"region": args.region}, opts)
        self.region = args.region
        self.account = account = account_of(opts)
        self._child = pulumi.ResourceOptions(parent=self, provider=account.provider)
        self.vpc = gcp.compute.Network(
            name,
            project=account.project,
            description=f"{args.environment} in {args.region}",
            auto_create_subnetworks=False,
            delete_default_routes_on_create=True,  # the way out is a route of ours, so it can come and go
            routing_mode="REGIONAL",
            opts=self._child,
        )
        self.nodes_subnet = self._subnet(name, args)
        rules = firewall.build(
            name,
            self.vpc.self_link,
            account.project,
            firewall.rules(args.plan, internet=args.wish.nat != "none", beyond=args.beyond),
            self._child,
        )
        keys = nat_keys(args.wish.nat, args.wish.zones)
        self.ready = self._nat(name, args, keys, rules) if keys else self._google_only(name, rules)
        self.network_id = self.vpc.self_link
        self.private_subnet_ids = pulumi.Output.all(self.nodes_subnet.self_link)
        self.register_outputs({"network_id": self.network_id, "private_subnet_ids": self.private_subnet_ids})

    def _subnet(self, name: str, args: NetworkArgs) -> gcp.compute.Subnetwork:
        ranges = {PODS_RANGE: args.plan.pods, SERVICES_RANGE: args.plan.services}
        return gcp.compute.Subnetwork(
            f"{name}-nodes",
            project=self.account.project,
            region=args.region,
            network=self.vpc.self_link,
            ip_cidr_range=str(args.plan.nodes),
            secondary_ip_ranges=[
                gcp.compute.SubnetworkSecondaryIpRangeArgs(range_name=key, ip_cidr_range=str(block))
                for key, block in ranges.items()
            ],
            private_ip_google_access=True,
            stack_type="IPV4_ONLY",
            log_config=gcp.compute.SubnetworkLogConfigArgs(
                aggregation_interval="INTERVAL_1_MIN",
                flow_sampling=0.5,
                metadata="INCLUDE_ALL_METADATA",
            ),
            opts=self._child,
        )

    def _nat(
        self, name: str, args: NetworkArgs, keys: tuple[str, ...], rules: list[gcp.compute.Firewall]
    ) -> gcp.compute.RouterNat:
        """Create the way to the internet: a route, and a NAT with addresses that others can allow-list."""
        route = self._route(f"{name}-internet", firewall.WORLD)
        router = gcp.compute.Router(
            f"{name}-router",
            project=self.account.project,
            region=args.region,
            network=self.vpc.self_link,
            opts=self._child,
        )
        addresses = [
            gcp.compute.Address(
                f"{name}-nat-{key}",
                project=self.account.project,
                region=args.region,
                address_type="EXTERNAL",
                network_tier="PREMIUM",
                opts=self._child,
            )
            for key in keys
        ]
        return gcp.compute.RouterNat(
            f"{name}-nat",
            project=self.account.project,
            region=args.region,
            router=router.name,
            nat_ip_allocate_option="MANUAL_ONLY",
            nat_ips=[address.self_link for address in addresses],
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[
                gcp.compute.RouterNatSubnetworkArgs(
                    name=self.nodes_subnet.self_link, source_ip_ranges_to_nats=["ALL_IP_RANGES"]
                )
            ],
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,  # excludes dynamic ports
            min_ports_per_vm=64,
            max_ports_per_vm=4096,
            log_config=gcp.compute.RouterNatLogConfigArgs(enable=True, filter="ERRORS_ONLY"),
            opts=pulumi.ResourceOptions(
                parent=self, provider=self.account.provider, depends_on=[route, self.nodes_subnet, *rules]
            ),
        )

    def _google_only(self, name: str, rules: list[gcp.compute.Firewall]) -> gcp.compute.Route:
        """Create a way to Google's APIs and registries, and to nothing else."""
        names = google_apis.build(name, self.vpc.id, self.account.project, self._child)
        return self._route(f"{name}-google-apis", firewall.PRIVATE_GOOGLE_APIS, [self.nodes_subnet, *rules, *names])

    def _route(self, name: str, block: str, depends_on: list[pulumi.Resource] | None = None) -> gcp.compute.Route:
        return gcp.compute.Route(
            name,
            project=self.account.project,
            network=self.vpc.self_link,
            dest_range=block,
            next_hop_gateway="default-internet-gateway",
            priority=1000,
            opts=pulumi.ResourceOptions(parent=self, provider=self.account.provider, depends_on=depends_on),
        )
