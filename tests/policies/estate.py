"""A state of a good thousand resources that breaks no rule: cells of networks, stores, identities, zones, workloads.

Written by hand from the vendors' documentation of each kind, not from the rules' own examples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tests.policies.estate_cluster import Made, cluster
from tests.policies.estate_wide import CHARTS, IMAGES, once

Graph = dict[str, dict[str, Any]]

CELLS: Final = 11
SIZE: Final = 1024
ACCOUNT: Final = "210987654321"
TAGS: Final = {
    "environment": "prod",
    "owner": "payments",
    "cost-centre": "4711",
    "data-classification": "internal",
    "charter-version": "v1",
    "managed-by": "pulumi",
}
PLAIN: Final = {"Bool": {"aws:SecureTransport": "false"}}
FACTS: Final[dict[str, Any]] = {
    "production": True,
    "accounts": {"aws": [ACCOUNT], "gcp": ["pay-prod"], "azure-native": ["6a1f"]},
    "regions": {"aws": ["eu-north-1"], "gcp": ["europe-north1"], "azure-native": ["swedencentral"]},
    "owners": ["payments"],
    "environment": "prod",
    "provider_versions": {"aws": "7.51.1", "gcp": "10.2.0", "azure-native": "3.29.0", "cloudflare": "6.23.1"},
    "commit": "4f1c2a7e9b3d5f6081a2b3c4d5e6f708192a3b4c",
    "registries": ["registry.pay.example"],
    "today": "2026-11-21",
    "evidence": {
        "sinks": {"aws": "organisation", "gcp": "organisation", "azure-native": "tenant", "cloudflare": "account"},
        "budgets": {"aws": "organisation", "gcp": "organisation", "azure-native": "tenant"},
        "costs": {"aws": "organisation"},
        "copies": {"aws": "organisation", "gcp": "organisation", "azure-native": "tenant"},
        "images": IMAGES,
        "charts": CHARTS,
    },
}


def document(*statements: Mapping[str, Any]) -> str:
    """Write a policy document as the SDKs do."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _aws(cell: str) -> Made:
    key = {"kmsKeyId": f"{cell}-key"}
    yield "vpc", "aws:ec2/vpc:Vpc", {"cidrBlock": "10.4.0.0/16", "tags": TAGS}, {}
    yield "flow", "aws:ec2/flowLog:FlowLog", {"trafficType": "ALL", "tags": TAGS}, {"vpcId": "vpc"}
    yield "born", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"tags": TAGS}, {"vpcId": "vpc"}
    yield "subnet", "aws:ec2/subnet:Subnet", {"cidrBlock": "10.4.1.0/24", "tags": TAGS}, {"vpcId": "vpc"}
    rule = {"protocol": "tcp", "fromPort": 5432, "toPort": 5432, "cidrBlocks": ["10.4.0.0/16"]}
    out = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["0.0.0.0/0"]}
    yield (
        "group",
        "aws:ec2/securityGroup:SecurityGroup",
        {"ingress": [rule], "egress": [out], "tags": TAGS},
        {"vpcId": "vpc"},
    )
    single = {"ipProtocol": "tcp", "fromPort": 8443, "toPort": 8443, "cidrIpv4": "10.4.0.0/16", "tags": TAGS}
    yield "rule", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", single, {"securityGroupId": "group"}
    older = {"type": "ingress", "protocol": "tcp", "fromPort": 6379, "toPort": 6379, "cidrBlocks": ["10.4.2.0/24"]}
    yield "older", "aws:ec2/securityGroupRule:SecurityGroupRule", older, {"securityGroupId": "group"}
    reading = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pay-*/*"}
    for service in ("s3", "ecr.api", "ecr.dkr", "sts", "kms", "secretsmanager", "logs"):
        props = {"serviceName": f"com.amazonaws.eu-north-1.{service}", "policy": document(reading), "tags": TAGS}
        yield f"to-{service.replace('.', '-')}", "aws:ec2/vpcEndpoint:VpcEndpoint", props, {"vpcId": "vpc"}
    keepers = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/keepers"}
    users = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/app"}
    keeping = {
        "Effect": "Allow",
        "Principal": keepers,
        "Action": ["kms:Put*", "kms:ScheduleKeyDeletion"],
        "Resource": "*",
    }
    using = {"Effect": "Allow", "Principal": users, "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": "*"}
    rotated = {"enableKeyRotation": True, "rotationPeriodInDays": 365, "deletionWindowInDays": 30, "tags": TAGS}
    yield "key", "aws:kms/key:Key", {**rotated, "policy": document(keeping, using)}, {}
    for name, locked in (("bucket", False), ("journal", True)):
        yield (
            name,
            "aws:s3/bucket:Bucket",
            {"objectLockEnabled": locked, "tags": {**TAGS, **({"purpose": "audit"} if locked else {})}},
            {},
        )
        four = dict.fromkeys(
            ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
        )
        yield f"{name}-block", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", four, {"bucket": name}
        sse = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "k"}}
        kind = "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
        yield f"{name}-sse", f"aws:s3/{kind}", {"rules": [sse]}, {"bucket": name, "rules": "key"}
        plain = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["*"], "Condition": PLAIN}
        yield f"{name}-policy", "aws:s3/bucketPolicy:BucketPolicy", {"policy": document(plain)}, {"bucket": name}
        on = {"versioningConfiguration": {"status": "Enabled"}}
        yield f"{name}-versions", "aws:s3/bucketVersioning:BucketVersioning", on, {"bucket": name}
        ends = {"rules": [{"id": "old", "status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": 90}}]}
        kind = "bucketLifecycleConfiguration:BucketLifecycleConfiguration"
        yield f"{name}-life", f"aws:s3/{kind}", ends, {"bucket": name}
    yield "bucket-log", "aws:s3/bucketLogging:BucketLogging", {}, {"bucket": "bucket", "targetBucket": "journal"}
    year = {"rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 400}}}
    kind = "bucketObjectLockConfiguration:BucketObjectLockConfiguration"
    yield "journal-lock", f"aws:s3/{kind}", year, {"bucket": "journal"}
    forced = {"family": "postgres14", "parameters": [{"name": "rds.force_ssl", "value": "1"}], "tags": TAGS}
    yield "settings", "aws:rds/parameterGroup:ParameterGroup", forced, {}
    database = {
        "engine": "postgres", "engineVersion": "14.12", "storageEncrypted": True, "publiclyAccessible": False,
        "backupRetentionPeriod": 35, "deletionProtection": True, "skipFinalSnapshot": False, "multiAz": True,
        "manageMasterUserPassword": True, "iamDatabaseAuthenticationEnabled": True, "username": "app",
        "enabledCloudwatchLogsExports": ["postgresql"], "tags": {**TAGS, "backup": "daily"}, **key,
    }  # fmt: skip
    refs = {"kmsKeyId": "key", "parameterGroupName": "settings"}
    yield "database", "aws:rds/instance:Instance", database, refs
    wish = {"selectionTags": [{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}]}
    yield "backup", "aws:backup/selection:Selection", wish, {}
    cache = {
        "transitEncryptionEnabled": True, "atRestEncryptionEnabled": True, "userGroupIds": ["app"],
        "automaticFailoverEnabled": True, "multiAzEnabled": True, "snapshotRetentionLimit": 14, "tags": TAGS, **key,
    }  # fmt: skip
    yield "cache", "aws:elasticache/replicationGroup:ReplicationGroup", cache, {"kmsKeyId": "key"}
    yield "secret", "aws:secretsmanager/secret:Secret", {"tags": TAGS, **key}, {"kmsKeyId": "key"}
    turned = {"rotationRules": {"automaticallyAfterDays": 30}}
    yield "rotation", "aws:secretsmanager/secretRotation:SecretRotation", turned, {"secretId": "secret"}
    yield "logs", "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 400, "tags": TAGS, **key}, {"kmsKeyId": "key"}
    trusted = {
        "Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }  # fmt: skip
    boundary = {"permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/b", "maxSessionDuration": 3600}
    yield "role", "aws:iam/role:Role", {"assumeRolePolicy": document(trusted), "tags": TAGS, **boundary}, {}
    narrow = {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": f"arn:aws:sqs:eu-north-1:{ACCOUNT}:{cell}"}
    yield "rights", "aws:iam/rolePolicy:RolePolicy", {"policy": document(narrow)}, {"role": "role"}
    image = {"imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True}, "tags": TAGS}
    encrypted = {"encryptionConfigurations": [{"encryptionType": "KMS"}]}
    yield "images", "aws:ecr/repository:Repository", {**image, **encrypted}, {}
    pull = {"Effect": "Allow", "Principal": users, "Action": ["ecr:BatchGetImage"]}
    yield "pulls", "aws:ecr/repositoryPolicy:RepositoryPolicy", {"policy": document(pull)}, {"repository": "images"}
    template = {
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}, "tags": TAGS,
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "kmsKeyId": "k"}}],
    }  # fmt: skip
    yield "template", "aws:ec2/launchTemplate:LaunchTemplate", template, {}


def _gcp(cell: str) -> Made:
    yield "net", "gcp:compute/network:Network", {"autoCreateSubnetworks": False}, {}
    subnet = {"region": "europe-north1", "privateIpGoogleAccess": True, "logConfig": {"flowSampling": 0.5}}
    yield "part", "gcp:compute/subnetwork:Subnetwork", subnet, {"network": "net"}
    log = {"logConfig": {"metadata": "INCLUDE_ALL_METADATA"}}
    web = {"allows": [{"protocol": "tcp", "ports": ["8443"]}], "sourceRanges": ["10.0.0.0/8"], **log}
    yield "wall", "gcp:compute/firewall:Firewall", web, {"network": "net"}
    out = {"direction": "EGRESS", "denies": [{"protocol": "all"}], "destinationRanges": ["0.0.0.0/0"], **log}
    yield "out", "gcp:compute/firewall:Firewall", out, {"network": "net"}
    labels = dict(TAGS)
    yield "lock", "gcp:kms/cryptoKey:CryptoKey", {"rotationPeriod": "7776000s", "labels": labels}, {}
    uses = {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "member": f"serviceAccount:{cell}@x.iam"}
    yield "uses", "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", uses, {"cryptoKeyId": "lock"}
    store = {
        "publicAccessPrevention": "enforced", "uniformBucketLevelAccess": True, "versioning": {"enabled": True},
        "softDeletePolicy": {"retentionDurationSeconds": 604800}, "logging": {"logBucket": "journal"},
        "encryption": {"defaultKmsKeyName": "k"}, "location": "EUROPE-NORTH1", "labels": labels,
    }  # fmt: skip
    yield "store", "gcp:storage/bucket:Bucket", store, {"encryption": "lock"}
    reader = {"role": "roles/storage.objectViewer", "members": ["group:auditors@pay.example"]}
    yield "readers", "gcp:storage/bucketIAMBinding:BucketIAMBinding", reader, {"bucket": "store"}
    grant = {"project": "pay-prod", "role": "roles/logging.logWriter", "member": f"serviceAccount:{cell}@x.iam"}
    yield "grant", "gcp:projects/iAMMember:IAMMember", grant, {}
    hidden = {"rotation": {"rotationPeriod": "2592000s"}, "labels": labels}
    own = {"replication": {"auto": {"customerManagedEncryption": {"kmsKeyName": "k"}}}}
    yield "hidden", "gcp:secretmanager/secret:Secret", {**hidden, **own}, {"replication": "lock"}
    yield "zone", "gcp:dns/managedZone:ManagedZone", {"dnssecConfig": {"state": "on"}, "labels": labels}, {}


def _azure(_cell: str) -> Made:
    place = {"location": "swedencentral", "tags": TAGS}
    inside = {"access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceAddressPrefix": "10.0.0.0/8"}
    rules = {"securityRules": [{"name": "in", "priority": 100, "destinationPortRange": "443", **inside}]}
    yield "nsg", "azure-native:network:NetworkSecurityGroup", {**place, **rules}, {}
    yield "vnet", "azure-native:network:VirtualNetwork", dict(place), {}
    yield "nodes", "azure-native:network:Subnet", {"subnetName": "nodes", "networkSecurityGroup": {"id": "g"}}, {}
    kept = {"enabled": True, "retentionPolicy": {"enabled": True, "days": 120}, **place}
    yield "seen", "azure-native:network:FlowLog", kept, {"targetResourceId": "vnet"}
    account = {
        "enableHttpsTrafficOnly": True, "minimumTlsVersion": "TLS1_2", "allowBlobPublicAccess": False,
        "publicNetworkAccess": "Disabled", "allowSharedKeyAccess": False,
        "encryption": {"keySource": "Microsoft.Keyvault", "requireInfrastructureEncryption": True}, **place,
    }  # fmt: skip
    yield "disk", "azure-native:storage:StorageAccount", account, {"encryption": "vaultkey"}
    soft = {
        "deleteRetentionPolicy": {"enabled": True, "days": 30}, "isVersioningEnabled": True,
        "containerDeleteRetentionPolicy": {"enabled": True, "days": 30},
    }  # fmt: skip
    yield "blobs", "azure-native:storage:BlobServiceProperties", soft, {"accountName": "disk"}
    shut = {
        "enablePurgeProtection": True, "enableSoftDelete": True, "enableRbacAuthorization": True,
        "networkAcls": {"defaultAction": "Deny"}, "publicNetworkAccess": "disabled",
    }  # fmt: skip
    yield "vault", "azure-native:keyvault:Vault", {"properties": shut, **place}, {}
    watched = {"logs": [{"categoryGroup": "audit", "enabled": True}]}
    yield "watch", "azure-native:monitor:DiagnosticSetting", watched, {"resourceUri": "vault"}
    turning = {"lifetimeActions": [{"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P80D"}}]}
    lasting = {"attributes": {"expires": 1_800_000_000}, "rotationPolicy": turning}
    yield "vaultkey", "azure-native:keyvault:Key", {"properties": lasting, "tags": TAGS}, {}
    role = {
        "scope": "/subscriptions/6a1f/resourceGroups/pay", "principalId": "11111111-2222-4333-8444-555555555555",
        "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
    }  # fmt: skip
    yield "assigned", "azure-native:authorization:RoleAssignment", role, {}


def _edge(_cell: str) -> Made:
    zone = {"zoneId": "site"}
    yield "site", "cloudflare:index/zone:Zone", {"name": "pay.example"}, {}
    header = {"strict_transport_security": {"enabled": True, "max_age": 63_072_000}}
    settings = {
        "ssl": "strict",
        "min_tls_version": "1.2",
        "tls_1_3": "on",
        "always_use_https": "on",
        "security_header": header,
    }
    for name, value in settings.items():
        told = {"settingId": name, "value": value}
        yield f"set-{name.replace('_', '-')}", "cloudflare:index/zoneSetting:ZoneSetting", told, zone
    yield "signed", "cloudflare:index/zoneDnssec:ZoneDnssec", {"status": "active"}, zone
    yield "caa", "cloudflare:index/dnsRecord:DnsRecord", {"type": "CAA", "name": "pay.example"}, zone
    www = {"type": "A", "name": "www.pay.example", "content": "203.0.112.10", "proxied": True}
    yield "www", "cloudflare:index/dnsRecord:DnsRecord", www, zone
    sets = ("efb7b8c949ac4650a09736fc376e9aee", "4814384a9e5d4991b9815dcfc25d2f1f")
    run = [{"action": "execute", "expression": "true", "actionParameters": {"id": one}} for one in sets]
    yield "waf", "cloudflare:index/ruleset:Ruleset", {"phase": "http_request_firewall_managed", "rules": run}, zone
    paths = '(starts_with(http.request.uri.path, "/api/")) or (starts_with(http.request.uri.path, "/agent/"))'
    slow = [{"action": "block", "expression": paths, "ratelimit": {"period": 60, "requestsPerPeriod": 100}}]
    yield "slow", "cloudflare:index/ruleset:Ruleset", {"phase": "http_ratelimit", "rules": slow}, zone
    for name in ("http_requests", "firewall_events"):
        told = {"dataset": name, "enabled": True}
        yield f"push-{name.split('_')[0]}", "cloudflare:index/logpushJob:LogpushJob", told, zone


PROTECTED: Final = frozenset({"key", "bucket", "journal", "database", "lock", "store", "vault", "vaultkey", "disk"})
PARTS: Final = (("aws", _aws), ("gcp", _gcp), ("azure", _azure), ("cloudflare", _edge), ("kubernetes", cluster))


def good(cells: int = CELLS, size: int = SIZE) -> Graph:
    """Return the estate: providers, cells, and settings until it has its size."""
    aws = {"version": "7.51.1", "region": "eu-north-1", "allowedAccountIds": f'["{ACCOUNT}"]'}
    graph: Graph = {
        "aws": {"type": "pulumi:providers:aws", "props": aws},
        "gcp": {"type": "pulumi:providers:gcp", "props": {"version": "10.2.0", "project": "pay-prod"}},
        "azure": {"type": "pulumi:providers:azure-native", "props": {"version": "3.29.0", "subscriptionId": "6a1f"}},
        "cloudflare": {"type": "pulumi:providers:cloudflare", "props": {"version": "6.23.1"}},
        "python": {"type": "pulumi:providers:pulumi-python", "props": {}},
        "kubernetes": {"type": "pulumi:providers:kubernetes", "props": {"kubeconfig": "c"}},
        "drill": {
            "type": "aws:backup/restoreTestingPlan:RestoreTestingPlan",
            "provider": "aws",
            "props": {"tags": TAGS},
        },
        "verify": {
            "type": "kubernetes:kyverno.io/v1:ClusterPolicy",
            "provider": "kubernetes",
            "props": {"spec": {"rules": [{"name": "signed", "verifyImages": [{"imageReferences": ["*"]}]}]}},
        },
    }
    kinds = ("accessanalyzer/analyzer:Analyzer", "cfg/recorder:Recorder", "securityhub/account:Account")
    for kind in kinds:
        told = {"tags": TAGS} if kind.startswith("access") else {}
        graph[kind.partition("/")[0]] = {"type": f"aws:{kind}", "provider": "aws", "props": told}
    recorded = {
        "isMultiRegionTrail": True, "enableLogFileValidation": True, "kmsKeyId": "k", "cloudWatchLogsGroupArn": "g",
    }  # fmt: skip
    graph["trail"] = {
        "type": "aws:cloudtrail/trail:Trail", "provider": "aws", "protect": True, "props": {**recorded, "tags": TAGS},
        "refs": {"s3BucketName": "cell0-journal", "kmsKeyId": "cell0-key"},
    }  # fmt: skip
    for name, kind, provider, props, refs in once(cells, TAGS):
        graph[name] = {"type": kind, "provider": provider, "props": json.loads(json.dumps(props)), "refs": refs}
    for number in range(cells):
        cell = f"cell{number}"
        for provider, made in PARTS:
            for name, kind, props, refs in made(cell):
                graph[f"{cell}-{name}"] = {
                    "type": kind,
                    "provider": provider,
                    "props": json.loads(json.dumps(props)),
                    "refs": {prop: f"{cell}-{target}" for prop, target in refs.items()},
                    "protect": name in PROTECTED,
                }
    for number in range(size - len(graph)):
        settings = {"metadata": {"name": f"settings{number}", "namespace": f"cell{number % cells}"}, "data": {"a": "b"}}
        graph[f"settings{number}"] = {
            "type": "kubernetes:core/v1:ConfigMap", "provider": "kubernetes", "props": settings,
        }  # fmt: skip
    return graph
