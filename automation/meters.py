"""What each chargeable type orders: how many units of which row of sizing/data/service_prices.csv in a month."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

HOURS: Final = 730.0
"""Hours of a month, as the catalogue counts them (8,760 / 12)."""


@dataclass(frozen=True)
class Meter:
    """`quantity` units a month of one price; None = by use, which nobody knows before it happened."""

    cloud: str
    service: str
    sku: str
    quantity: float | None = HOURS


Inputs = Mapping[str, Any]
Read = Callable[[Inputs, int], list[Meter]]
"""Reads a resource's inputs; the second argument is the number of zones of its region in the stack file."""


def _fixed(cloud: str, service: str, sku: str, quantity: float | None = HOURS) -> Read:
    return lambda _inputs, _zones: [Meter(cloud, service, sku, quantity)]


def _aws_endpoint(inputs: Inputs, zones: int) -> list[Meter]:
    if inputs.get("vpcEndpointType") == "Interface":
        subnets = inputs.get("subnetIds")
        count = len(subnets) if isinstance(subnets, list) else zones
        return [Meter("aws", "private_endpoint", "interface endpoint hour", HOURS * max(count, 1))]
    return [Meter("aws", "private_endpoint", "gateway endpoint (S3, DynamoDB)")]


def _aws_balancer(inputs: Inputs, _zones: int) -> list[Meter]:
    sku = "NLB hour" if inputs.get("loadBalancerType") == "network" else "ALB hour"
    return [Meter("aws", "load_balancer", sku)]


def _aws_volume(inputs: Inputs, _zones: int) -> list[Meter]:
    return [Meter("aws", "block_storage", f"EBS {inputs.get('type', 'gp2')}", float(inputs.get("size") or 0) or None)]


def _gke(inputs: Inputs, _zones: int) -> list[Meter]:
    zonal = str(inputs.get("location", "")).count("-") > 1
    return [Meter("gcp", "kubernetes_control_plane", f"GKE cluster fee, {'zonal' if zonal else 'regional'}")]


def _gcp_address(inputs: Inputs, _zones: int) -> list[Meter]:
    if inputs.get("addressType", "EXTERNAL") == "INTERNAL":
        return []
    return [Meter("gcp", "public_ipv4", "external IPv4 in use (VM)")]


def _gcp_disk(inputs: Inputs, _zones: int) -> list[Meter]:
    names = {"pd-balanced": "PD balanced", "pd-ssd": "PD SSD", "pd-standard": "PD standard", "pd-extreme": "PD extreme"}
    sku = names.get(str(inputs.get("type")), "PD standard")
    return [Meter("gcp", "block_storage", sku, float(inputs.get("size") or 0) or None)]


def _aks(inputs: Inputs, _zones: int) -> list[Meter]:
    tier = str((inputs.get("sku") or {}).get("tier", "Free"))
    skus = {"Free": "AKS free tier", "Premium": "AKS premium tier (long-term support)"}
    return [Meter("azure", "kubernetes_control_plane", skus.get(tier, "AKS standard tier"))]


def _azure_prefix(inputs: Inputs, _zones: int) -> list[Meter]:
    count = 2 ** (32 - int(inputs.get("prefixLength") or 31))
    return [Meter("azure", "public_ipv4", "Standard static IPv4", HOURS * count)]


def _azure_key(inputs: Inputs, _zones: int) -> list[Meter]:
    kind = str((inputs.get("properties") or {}).get("kty", inputs.get("kty", "RSA")))
    if kind.endswith("HSM"):
        return [Meter("azure", "kms", "Key Vault HSM RSA-2048 key", 1.0)]
    return [Meter("azure", "kms", "Key Vault key operations", None)]  # software keys have no monthly fee


def _azure_registry(inputs: Inputs, _zones: int) -> list[Meter]:
    return [Meter("azure", "container_registry", f"Container Registry {(inputs.get('sku') or {}).get('name')}", 1.0)]


DATABASE_SIZES: Final[Mapping[str, float]] = {
    **{f"db.m7g.{size}": factor for size, factor in (("large", 1.0), ("xlarge", 2.0), ("2xlarge", 4.0))},
    **{f"db-custom-{cpus}-{cpus * 3840}": cpus / 2 for cpus in (2, 4, 8)},
    **{f"Standard_D{cpus}ds_v5": cpus / 2 for cpus in (2, 4, 8)},
}
"""How many times the smallest size of its family a database is; the clouds price a family by its processors.

Sources: aws.amazon.com/rds/postgresql/pricing, cloud.google.com/sql/pricing,
azure.microsoft.com/pricing/details/postgresql/flexible-server, 2026-11-21.
"""


def _database(cloud: str, size: str, priced: str, disk: str, gibibytes: object) -> list[Meter]:
    """Hours of the smallest size as often as this one is larger, and the disk; another size has no price here."""
    factor = DATABASE_SIZES.get(size)
    if factor is None:
        return [Meter(cloud, "managed_postgres", size)]
    stored = float(str(gibibytes or 0)) or None
    return [Meter(cloud, "managed_postgres", priced, HOURS * factor), Meter(cloud, "managed_postgres", disk, stored)]


def _rds(inputs: Inputs, _zones: int) -> list[Meter]:
    zones = "multi-AZ" if inputs.get("multiAz") is True else "single-AZ"
    size, stored = str(inputs.get("instanceClass")), inputs.get("allocatedStorage")
    return _database("aws", size, f"RDS db.m7g.large {zones}", f"RDS gp3 storage {zones}", stored)


def _cloud_sql(inputs: Inputs, _zones: int) -> list[Meter]:
    inside = inputs.get("settings") or {}
    zones = "regional" if inside.get("availabilityType") == "REGIONAL" else "zonal"
    priced, disk = f"Cloud SQL db-custom-2-7680 {zones}", f"Cloud SQL SSD storage {zones}"
    return _database("gcp", str(inside.get("tier")), priced, disk, inside.get("diskSize"))


def _azure_postgres(inputs: Inputs, _zones: int) -> list[Meter]:
    single = str((inputs.get("highAvailability") or {}).get("mode", "Disabled")) == "Disabled"
    zones = "single" if single else "HA"
    size, stored = str((inputs.get("sku") or {}).get("name")), (inputs.get("storage") or {}).get("storageSizeGB")
    return _database("azure", size, f"Flexible Server D2ds_v5 {zones}", f"Flexible Server storage {zones}", stored)


def _aws_cache(inputs: Inputs, _zones: int) -> list[Meter]:
    size = str(inputs.get("nodeType"))
    factor = {"cache.m7g.large": 1.0, "cache.m7g.xlarge": 2.0, "cache.m7g.2xlarge": 4.0}.get(size)
    if factor is None:
        return [Meter("aws", "managed_redis", size)]
    nodes = float(str(inputs.get("numCacheClusters") or 1))
    return [Meter("aws", "managed_redis", "ElastiCache Valkey cache.m7g.large", HOURS * factor * nodes)]


def _azure_cache(inputs: Inputs, _zones: int) -> list[Meter]:
    size = str((inputs.get("sku") or {}).get("name")).removeprefix("Balanced_")
    spare = " HA" if inputs.get("highAvailability") != "Disabled" else ""
    return [Meter("azure", "managed_redis", f"Managed Redis {size}{spare}")]


def _azure_storage(inputs: Inputs, _zones: int) -> list[Meter]:
    copies = str((inputs.get("sku") or {}).get("name", "Standard_LRS")).partition("_")[2]
    return [Meter("azure", "object_storage", f"Blob Hot {copies}", None)]


METERS: Final[Mapping[str, Read]] = {
    "aws:eks/cluster:Cluster": _fixed("aws", "kubernetes_control_plane", "EKS standard support"),
    "aws:ec2/natGateway:NatGateway": _fixed("aws", "nat_gateway", "NAT gateway hour"),
    "aws:ec2/eip:Eip": _fixed("aws", "public_ipv4", "public IPv4 in use"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _aws_endpoint,
    "aws:lb/loadBalancer:LoadBalancer": _aws_balancer,
    "aws:kms/key:Key": _fixed("aws", "kms", "KMS customer managed key", 1.0),
    "aws:kms/replicaKey:ReplicaKey": _fixed("aws", "kms", "KMS customer managed key", 1.0),
    "aws:cloudwatch/logGroup:LogGroup": _fixed("aws", "logs", "CloudWatch Logs ingestion", None),
    "aws:ebs/volume:Volume": _aws_volume,
    "aws:secretsmanager/secret:Secret": _fixed("aws", "secrets", "Secrets Manager secret", 1.0),
    "aws:ecr/repository:Repository": _fixed("aws", "container_registry", "ECR private storage", None),
    "aws:s3/bucket:Bucket": _fixed("aws", "object_storage", "S3 Standard, first 50 TB", None),
    "aws:s3/bucketV2:BucketV2": _fixed("aws", "object_storage", "S3 Standard, first 50 TB", None),
    "aws:elasticache/replicationGroup:ReplicationGroup": _aws_cache,
    "aws:backup/vault:Vault": _fixed("aws", "backup", "RDS backup storage", None),
    "aws:rds/instance:Instance": _rds,
    "gcp:container/cluster:Cluster": _gke,
    "gcp:sql/databaseInstance:DatabaseInstance": _cloud_sql,
    "gcp:compute/routerNat:RouterNat": _fixed("gcp", "nat_gateway", "Cloud NAT gateway hour"),
    "gcp:compute/address:Address": _gcp_address,
    "gcp:compute/forwardingRule:ForwardingRule": _fixed("gcp", "load_balancer", "forwarding rule, each additional"),
    "gcp:compute/globalForwardingRule:GlobalForwardingRule": _fixed(
        "gcp", "load_balancer", "forwarding rule, each additional"
    ),
    "gcp:compute/disk:Disk": _gcp_disk,
    "gcp:kms/cryptoKey:CryptoKey": _fixed("gcp", "kms", "Cloud KMS software key version", 1.0),
    "gcp:secretmanager/secretVersion:SecretVersion": _fixed("gcp", "secrets", "Secret Manager active version", 1.0),
    "gcp:artifactregistry/repository:Repository": _fixed(
        "gcp", "container_registry", "Artifact Registry storage", None
    ),
    "gcp:storage/bucket:Bucket": _fixed("gcp", "object_storage", "Cloud Storage Standard", None),
    "gcp:logging/projectBucketConfig:ProjectBucketConfig": _fixed("gcp", "logs", "Cloud Logging ingestion", None),
    "azure-native:containerservice:ManagedCluster": _aks,
    "azure-native:dbforpostgresql:Server": _azure_postgres,
    "azure-native:redisenterprise:RedisEnterprise": _azure_cache,
    "azure-native:network:NatGateway": _fixed("azure", "nat_gateway", "NAT gateway hour"),
    "azure-native:network:PublicIPAddress": _fixed("azure", "public_ipv4", "Standard static IPv4"),
    "azure-native:network:PublicIPPrefix": _azure_prefix,
    "azure-native:network:PrivateEndpoint": _fixed("azure", "private_endpoint", "private endpoint hour"),
    "azure-native:network:LoadBalancer": _fixed("azure", "load_balancer", "Standard LB, first 5 rules"),
    "azure-native:network:FlowLog": _fixed("azure", "flow_logs", "flow logs collected", None),
    "azure-native:keyvault:Key": _azure_key,
    "azure-native:keyvault:Secret": _fixed("azure", "secrets", "Key Vault secret operations", None),
    "azure-native:operationalinsights:Workspace": _fixed("azure", "logs", "Log Analytics ingestion", None),
    "azure-native:storage:StorageAccount": _azure_storage,
    "azure-native:containerregistry:Registry": _azure_registry,
}

CLOUD_OF_PACKAGE: Final[Mapping[str, str]] = {
    "aws": "aws",
    "gcp": "gcp",
    "azure-native": "azure",
    "cloudflare": "cloudflare",
}


def cloud_of(type_: str) -> str | None:
    """The cloud whose bill a resource stands on, by its package; None for Kubernetes objects and components."""
    return CLOUD_OF_PACKAGE.get(type_.split(":", 1)[0])
