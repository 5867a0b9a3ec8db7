"""The end of links on Azure: a gateway of two active instances, and a connection for each tunnel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi_azure_native import keyvault, network

from components.azure import diagnostics
from components.azure.key_vault import EXPIRES
from components.azure.link_alarms import alarm
from components.azure.network import Network
from components.azure.old_names import spared
from components.links import DEAD_PEER_SECONDS, ESP_SECONDS, Keys, LinkGatewayArgs
from stacks.links import End, Tunnel

CIPHER: Final = "GCMAES256"
HASH: Final = "SHA384"
GROUP: Final = "ECP384"
"""DH group 20. Source: https://learn.microsoft.com/azure/vpn-gateway/ipsec-ike-policy-howto, 2026-11-21."""
ESP_KILOBYTES: Final = 102_400_000
"""Azure's own figure: the association ends by its age."""
INSTANCES: Final = ("first", "second")
ZONES: Final = ("1", "2", "3")
SMALLEST: Final = "VpnGw1AZ"
"""The only size of the first generation that spans zones; the others come in both."""
LOGS: Final = ("GatewayDiagnosticLog", "TunnelDiagnosticLog", "RouteDiagnosticLog", "IKEDiagnosticLog")
"""https://learn.microsoft.com/azure/vpn-gateway/monitor-vpn-gateway-reference, 2026-11-21."""
SLOW: Final = pulumi.CustomTimeouts(create="90m", update="90m", delete="60m")


class LinkGateway(pulumi.ComponentResource):
    """One virtual network gateway over the zones of a region; both instances carry traffic."""

    addresses: Sequence[pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        args: LinkGatewayArgs,
        place: Network,
        _cluster: Any,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ecosystem:azure:LinkGateway", name, {"asn": args.site.asn}, spared(opts))
        self._name, self._args, self._place = name, args, place
        self._child = pulumi.ResourceOptions(parent=self)
        addresses = [self._address(instance) for instance in INSTANCES]
        self._physical = f"{args.environment}-{args.site.region}-links"
        self._gateway = self._make(addresses)
        self.addresses = [address.ip_address.apply(str) for address in addresses]
        diagnostics.export(f"{name}-logs", self._gateway.id, place.workspace_id, LOGS, self._child)
        alarm(name, self._gateway.id, place.group, args, self._child)
        self.register_outputs({"gateway": self._gateway.id})

    def join(self, end: End, far: Sequence[pulumi.Output[str]], keys: Keys) -> Sequence[pulumi.Output[str]]:
        """Make a connection for each tunnel; the other end has an address and a BGP session for each."""
        for tunnel in end.tunnels:
            self._connect(f"{self._name}-{end.far.name}-{tunnel.number}", end, tunnel, far, keys)
        held = {str(tunnel.number): keys[tunnel.number] for tunnel in end.tunnels}
        vault = self._place.vault.place
        keyvault.Secret(
            f"{self._name}-{end.far.name}",
            keyvault.SecretArgs(
                resource_group_name=vault.group,
                vault_name=vault.vault,
                properties=keyvault.SecretPropertiesArgs(
                    value=pulumi.Output.json_dumps(held),
                    content_type="application/json",
                    attributes=keyvault.SecretAttributesArgs(enabled=True, expires=int(EXPIRES.timestamp())),
                ),
            ),
            opts=self._child,
        )
        return self.addresses

    def _address(self, instance: str) -> network.PublicIPAddress:
        return network.PublicIPAddress(
            f"{self._name}-{instance}",
            network.PublicIPAddressInitArgs(
                resource_group_name=self._place.group,
                location=self._args.site.region,
                sku=network.PublicIPAddressSkuArgs(name="Standard", tier="Regional"),
                public_ip_allocation_method="Static",
                public_ip_address_version="IPv4",
                zones=list(ZONES),
            ),
            opts=self._child,
        )

    def _configuration(self, instance: str) -> pulumi.Output[str]:
        """Id of an instance's address, which the gateway's own description names."""
        return pulumi.Output.concat(
            "/subscriptions/",
            self._place.subscription,
            "/resourceGroups/",
            self._place.group,
            f"/providers/Microsoft.Network/virtualNetworkGateways/{self._physical}/ipConfigurations/{instance}",
        )

    def _make(self, addresses: Sequence[network.PublicIPAddress]) -> network.VirtualNetworkGateway:
        args, subnet = self._args, self._place.gateway_subnet
        if subnet is None:
            raise ValueError(f"{self._name}: the network has no GatewaySubnet, NetworkArgs.beyond says it has no links")
        inside = {
            instance: [
                str(tunnel.near) for end in args.ends for tunnel in end.tunnels if tunnel.near_interface == place
            ]
            for place, instance in enumerate(INSTANCES)
        }
        return network.VirtualNetworkGateway(
            self._name,
            network.VirtualNetworkGatewayInitArgs(
                resource_group_name=self._place.group,
                location=args.site.region,
                virtual_network_gateway_name=self._physical,
                gateway_type="Vpn",
                vpn_type="RouteBased",
                vpn_gateway_generation="Generation1" if args.size == SMALLEST else "Generation2",
                sku=network.VirtualNetworkGatewaySkuArgs(name=args.size, tier=args.size),
                active_active=True,
                enable_bgp=True,
                bgp_settings=network.BgpSettingsArgs(
                    asn=args.site.asn,
                    bgp_peering_addresses=[
                        network.IPConfigurationBgpPeeringAddressArgs(
                            ipconfiguration_id=self._configuration(instance), custom_bgp_ip_addresses=inside[instance]
                        )
                        for instance in INSTANCES
                    ],
                ),
                ip_configurations=[
                    network.VirtualNetworkGatewayIPConfigurationArgs(
                        name=instance,
                        private_ip_allocation_method="Dynamic",
                        public_ip_address=network.SubResourceArgs(id=address.id),
                        subnet=network.SubResourceArgs(id=subnet.id),
                    )
                    for instance, address in zip(INSTANCES, addresses, strict=True)
                ],
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                custom_timeouts=SLOW,
                protect=args.protect or None,
                delete_before_replace=True,  # a network has one such gateway, and its name is known beforehand
            ),
        )

    def _connect(
        self, name: str, end: End, tunnel: Tunnel, far: Sequence[pulumi.Output[str]], keys: Keys
    ) -> network.VirtualNetworkGatewayConnection:
        """The other instance names an address too, which this tunnel does not use.

        https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-howto-aws-bgp, 2026-11-21.
        """
        group, region = self._place.group, self._args.site.region
        other = network.LocalNetworkGateway(
            name,
            network.LocalNetworkGatewayInitArgs(
                resource_group_name=group,
                location=region,
                gateway_ip_address=far[tunnel.far_interface],
                bgp_settings=network.BgpSettingsArgs(asn=end.far.asn, bgp_peering_address=str(tunnel.far)),
            ),
            opts=self._child,
        )
        return network.VirtualNetworkGatewayConnection(
            name,
            network.VirtualNetworkGatewayConnectionArgs(
                resource_group_name=group,
                location=region,
                connection_type="IPsec",
                connection_protocol="IKEv2",
                connection_mode="Default",
                virtual_network_gateway1=network.VirtualNetworkGatewayArgs(id=self._gateway.id),
                local_network_gateway2=network.LocalNetworkGatewayArgs(id=other.id),
                shared_key=keys[tunnel.number],
                enable_bgp=True,
                use_policy_based_traffic_selectors=False,
                dpd_timeout_seconds=DEAD_PEER_SECONDS,
                gateway_custom_bgp_ip_addresses=[
                    network.GatewayCustomBgpIpAddressIpConfigurationArgs(
                        ip_configuration_id=self._configuration(instance), custom_bgp_ip_address=address
                    )
                    for instance, address in zip(INSTANCES, _addresses(end, tunnel), strict=True)
                ],
                ipsec_policies=[
                    network.IpsecPolicyArgs(
                        ike_encryption=CIPHER,
                        ike_integrity=HASH,
                        dh_group=GROUP,
                        ipsec_encryption=CIPHER,
                        ipsec_integrity=CIPHER,  # with AES-GCM both are the same
                        pfs_group=GROUP,
                        sa_life_time_seconds=ESP_SECONDS,
                        sa_data_size_kilobytes=ESP_KILOBYTES,
                    )
                ],
            ),
            opts=self._child,
        )


def _addresses(end: End, tunnel: Tunnel) -> tuple[str, str]:
    """BGP addresses of both instances for one tunnel: its own, and that of its counterpart in the other half."""
    rows = [[each for each in end.tunnels if each.near_interface == place] for place in range(len(INSTANCES))]
    row = rows[tunnel.near_interface].index(tunnel)
    return str(rows[0][row].near), str(rows[1][row].near)
