"""A region's private network on Azure, with what belongs to the region once: group, log store, vault, flow log."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import authorization, network, resources

from components.azure import diagnostics, firewall, outbound
from components.azure.disks import DiskEncryptionArgs, disk_encryption
from components.azure.flow_logs import FlowLogs, FlowLogsArgs
from components.azure.identity import identity
from components.azure.key_vault import KeyVault, KeyVaultArgs
from components.azure.old_names import spared
from components.contracts import NetworkArgs

CLUSTER_SERVICE = "Microsoft.ContainerService/managedClusters"


class Network(pulumi.ComponentResource):
    """One VNet per region: node subnets, the API server's subnet and one for private endpoints.

    Subnets are resources of their own and never part of the network's: mixing both makes each delete the other's.
    Azure changes one subnet of a network at a time, so they are made in a row.
    """

    region: str
    network_id: pulumi.Output[str]
    private_subnet_ids: pulumi.Output[list[str]]
    ready: pulumi.Resource

    subscription: pulumi.Output[str]
    tenant: pulumi.Output[str]
    network_name: pulumi.Output[str]
    group: pulumi.Output[str]  # name of the resource group
    node_subnets: Mapping[str, network.Subnet]  # by zone key of the way out
    api_server_subnet: network.Subnet
    gateway_subnet: network.Subnet | None  # where links end; none without links
    workspace_id: pulumi.Output[str]
    vault: KeyVault
    disk_encryption_set_id: pulumi.Output[str]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(
            "ecosystem:azure:Network", name, {"region": args.region, "cidr": str(args.plan.network)}, spared(opts)
        )
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self.region = args.region
        asked = authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=self))
        self.subscription = asked.subscription_id
        self.tenant = asked.tenant_id
        self.group = resources.ResourceGroup(
            name,
            resources.ResourceGroupArgs(
                resource_group_name=f"{args.environment}-{args.region}",  # typed by people: az aks get-credentials
                location=args.region,
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        ).name
        self._vnet = network.VirtualNetwork(
            name,
            network.VirtualNetworkInitArgs(
                resource_group_name=self.group,
                location=args.region,
                address_space=network.AddressSpaceArgs(address_prefixes=[str(args.plan.network)]),
            ),
            opts=self._child,
        )
        self.network_id, self.network_name = self._vnet.id, self._vnet.name
        self._subnets()
        self._records()
        self.private_subnet_ids = pulumi.Output.all(*(subnet.id for subnet in self.node_subnets.values()))
        self.register_outputs(
            {"network_id": self.network_id, "private_subnet_ids": self.private_subnet_ids, "group": self.group}
        )

    def _subnets(self) -> None:
        name, plan, beyond = self._name, self._args.plan, self._args.beyond
        api_server = self._subnet(
            "api-server",
            str(plan.control_plane[0]),
            firewall.into_api_server(plan, beyond),
            delegations=[network.DelegationArgs(name="aks", service_name=CLUSTER_SERVICE)],
        )
        endpoints = self._subnet(
            "endpoints",
            str(plan.endpoints),
            firewall.into_endpoints(plan, self._args.store_ports, beyond),
            after=api_server,
            private_endpoint_network_policies="NetworkSecurityGroupEnabled",
        )
        routed = beyond.routed if beyond else ()
        out = outbound.OutboundArgs(group=self.group, region=self.region, wish=self._args.wish, routed=routed)
        routes = outbound.route_table(name, out, self._child)
        guard = self._guard("nodes", firewall.into_nodes(plan, self._args.gateway_from, beyond))
        nodes: dict[str, network.Subnet] = {}
        last = endpoints
        quarters = dict(zip(outbound.ZONES, plan.nodes.subnets(2), strict=False))
        for zone in outbound.ways_out(self._args.wish):
            closed = self._args.wish.nat == "none"
            gateway = None if closed else outbound.gateway(f"{name}-nat-{zone}", zone, out, self._child)
            last = nodes[zone] = self._subnet(
                f"nodes-{zone}",
                str(quarters[zone]),
                guard,
                after=last,
                nat_gateway=network.SubResourceArgs(id=gateway.id) if gateway else None,
                route_table=network.RouteTableArgs(id=routes.id),
            )
        self.gateway_subnet = self._gateway(str(plan.gateway), last) if beyond and beyond.linked else None
        last = self.gateway_subnet or last
        self.node_subnets = nodes
        self.api_server_subnet = api_server
        self.endpoint_subnet = endpoints
        self.ready = last

    def _guard(
        self, key: str, guard: tuple[firewall.Entry, ...] | network.NetworkSecurityGroup
    ) -> network.NetworkSecurityGroup:
        if isinstance(guard, tuple):
            return firewall.security_group(f"{self._name}-{key}", self.group, self.region, guard, self._child)
        return guard

    def _subnet(
        self,
        key: str,
        cidr: str,
        guard: tuple[firewall.Entry, ...] | network.NetworkSecurityGroup,
        after: network.Subnet | None = None,
        **more: object,
    ) -> network.Subnet:
        """Make a subnet that has a security group and no way out but its gateway."""
        return network.Subnet(
            f"{self._name}-{key}",
            network.SubnetInitArgs(
                resource_group_name=self.group,
                virtual_network_name=self._vnet.name,
                address_prefix=cidr,
                default_outbound_access=False,
                network_security_group=network.NetworkSecurityGroupArgs(id=self._guard(key, guard).id),
                **more,
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[after] if after else None,
                delete_before_replace=True,  # its successor wants the same addresses
            ),
        )

    def _gateway(self, cidr: str, after: network.Subnet) -> network.Subnet:
        """Make the subnet of the gateway: its name is Azure's, and it takes no security group.

        https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings#gwsub, 2026-11-21.
        """
        return network.Subnet(
            f"{self._name}-gateway",
            network.SubnetInitArgs(
                resource_group_name=self.group,
                virtual_network_name=self._vnet.name,
                subnet_name="GatewaySubnet",
                address_prefix=cidr,
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[after], delete_before_replace=True),
        )

    def _records(self) -> None:
        """Make what remembers and what encrypts: the workspace, the vault, the flow log."""
        name, args = self._name, self._args
        self.workspace_id = diagnostics.workspace(
            f"{name}-logs",
            diagnostics.WorkspaceArgs(group=self.group, region=args.region, protect=args.protect),
            self._child,
        ).id
        disk_reader = identity(f"{name}-disks", self.group, args.region, self._child)
        self.vault = KeyVault(
            f"{name}-vault",
            KeyVaultArgs(
                group=self.group,
                region=args.region,
                tenant=self.tenant,
                generation=disk_reader.client_id,
                network_id=self.network_id,
                endpoint_subnet_id=self.endpoint_subnet.id,
                workspace_id=self.workspace_id,
                protect=args.protect,
            ),
            self._child,
        )
        self.disk_encryption_set_id = disk_encryption(
            f"{name}-disks",
            DiskEncryptionArgs(
                group=self.group,
                region=args.region,
                subscription=self.subscription,
                vault_id=self.vault.vault_id,
                key=self.vault.keys["disks"],
                reader=disk_reader,
            ),
            self._child,
        ).id
        FlowLogs(
            f"{name}-flows",
            FlowLogsArgs(
                environment=args.environment,
                group=self.group,
                region=args.region,
                subscription=self.subscription,
                network_id=self.network_id,
                vault_uri=self.vault.uri,
                key=self.vault.keys["logs"],
                protect=args.protect,
            ),
            self._child,
        )
