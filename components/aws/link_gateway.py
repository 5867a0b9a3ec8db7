"""The end of links on AWS: a virtual private gateway, and two connections of two tunnels for each link.

A transit gateway would cost by the hour and by the gigabyte and would share traffic over all tunnels; one VPC in a
region has nothing to pass on, so the gateway of the VPC itself is enough (docs/adr/0010).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pulumi
import pulumi_aws as aws

from components.aws.flow_logs import RETENTION_DAYS
from components.aws.link_alarms import LinkTopic, LinkTopicArgs, alarm
from components.aws.network import Network
from components.links import DEAD_PEER_SECONDS, ESP_SECONDS, IKE_SECONDS, Keys, LinkGatewayArgs, halves
from stacks.links import End, Tunnel

CIPHER: Final = "AES256-GCM-16"
HASH: Final = "SHA2-384"
"""AES-GCM proves by itself; IKE makes its keys with this one."""
GROUP: Final = 20
"""NIST P-384. Sources: docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html, 2026-11-21."""
SLOW: Final = pulumi.CustomTimeouts(create="60m", update="60m", delete="40m")


class LinkGateway(pulumi.ComponentResource):
    """One virtual private gateway; private and control-plane subnets learn the way to the other networks from it."""

    addresses: Sequence[pulumi.Output[str]] = ()

    def __init__(
        self,
        name: str,
        args: LinkGatewayArgs,
        network: Network,
        _cluster: Any,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ecosystem:aws:LinkGateway", name, {"asn": args.site.asn}, opts)
        self._name, self._region = name, args.site.region
        self._child = pulumi.ResourceOptions(parent=self)
        self._gateway = aws.ec2.VpnGateway(
            name,
            vpc_id=network.network_id,
            amazon_side_asn=str(args.site.asn),
            region=self._region,
            tags={"Name": name},
            opts=self._child,
        )
        for key, table in network.inner_tables.items():
            aws.ec2.VpnGatewayRoutePropagation(
                f"{name}-{key}",
                vpn_gateway_id=self._gateway.id,
                route_table_id=table,
                region=self._region,
                opts=self._child,
            )
        self._logs = aws.cloudwatch.LogGroup(
            name,
            name=f"/aws/vendedlogs/{args.environment}-{name}",  # AWS lets its deliveries write to groups of such names
            retention_in_days=RETENTION_DAYS,
            kms_key_id=network.logs_key_arn,
            region=self._region,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect or None),
        )
        self._topic = LinkTopic(
            f"{name}-alarms",
            LinkTopicArgs(
                environment=args.environment, region=self._region, receivers=args.receivers, protect=args.protect
            ),
            self._child,
        )
        self.register_outputs({"gateway": self._gateway.id})

    def join(self, end: End, far: Sequence[pulumi.Output[str]], keys: Keys) -> Sequence[pulumi.Output[str]]:
        """Make a connection to each address of the other end; AWS gives each tunnel an address of its own."""
        found: list[pulumi.Output[str]] = []
        for interface, tunnels in halves(end.tunnels).items():
            name = f"{self._name}-{end.far.name}-{interface}"
            customer = aws.ec2.CustomerGateway(
                name,
                type="ipsec.1",
                bgp_asn=str(end.far.asn),
                ip_address=far[interface],
                device_name=f"{end.far.name}-{interface}",
                region=self._region,
                tags={"Name": name},
                opts=self._child,
            )
            made = self._connection(name, customer, tunnels, keys)
            alarm(name, made.id, f"{end.link}, interface {interface}", self._region, self._topic.arn, self._child)
            found += [made.tunnel1_address, made.tunnel2_address]
        return found

    def _connection(
        self, name: str, customer: aws.ec2.CustomerGateway, tunnels: Sequence[Tunnel], keys: Keys
    ) -> aws.ec2.VpnConnection:
        settings: dict[str, Any] = {}
        for place, tunnel in enumerate(tunnels, start=1):
            settings |= {f"tunnel{place}_{key}": value for key, value in self._tunnel(tunnel, keys).items()}
            logged = {
                "log_enabled": True,
                "log_group_arn": self._logs.arn,
                "log_output_format": "json",
                "bgp_log_enabled": True,
                "bgp_log_group_arn": self._logs.arn,
                "bgp_log_output_format": "json",
            }
            settings[f"tunnel{place}_log_options"] = {"cloudwatch_log_options": logged}
        return aws.ec2.VpnConnection(
            name,
            type="ipsec.1",
            vpn_gateway_id=self._gateway.id,
            customer_gateway_id=customer.id,
            static_routes_only=False,
            preshared_key_storage="SecretsManager",
            region=self._region,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, custom_timeouts=SLOW),
            **settings,
        )

    @staticmethod
    def _tunnel(tunnel: Tunnel, keys: Keys) -> dict[str, Any]:
        """The other end begins, as Google and Azure do; when it falls silent AWS asks again."""
        return {
            "inside_cidr": str(tunnel.inside),
            "preshared_key": keys[tunnel.number],
            "ike_versions": ["ikev2"],
            "startup_action": "add",
            "dpd_timeout_action": "restart",
            "dpd_timeout_seconds": DEAD_PEER_SECONDS,
            "phase1_encryption_algorithms": [CIPHER],
            "phase1_integrity_algorithms": [HASH],
            "phase1_dh_group_numbers": [GROUP],
            "phase1_lifetime_seconds": IKE_SECONDS,
            "phase2_encryption_algorithms": [CIPHER],
            "phase2_integrity_algorithms": [HASH],
            "phase2_dh_group_numbers": [GROUP],
            "phase2_lifetime_seconds": ESP_SECONDS,
            "enable_tunnel_lifecycle_control": True,  # AWS waits before it replaces an end, so that both are never gone
        }
