"""Object stores of the three clouds, judged on what was asked of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

import pytest
from pulumi.runtime import settings

from components.gcp.names import AUTONAME, BUCKET_LIMIT, bucket_name
from components.platform import Platform
from stacks.load import read_file
from stacks.model import Stack
from stacks.services.settings import Services
from tests.components.azure.region import identities_as_a_map
from tests.components.mock_cloud import COMPUTED, Cloud, Computed, attach
from tests.components.test_cloud_side import FILE, account
from tests.inventory.test_inventory import IDENTITIES, SIZING, aks, answers, planned

OBJECTS = FILE.with_name("happy.data-objects.yaml")
AWS, GCP, AZURE = "aws-eu-west-1-data", "gcp-europe-west1-data", "azure-westeurope-data"
DAY = 86_400
S3 = "aws:s3/bucket"


@pytest.fixture(scope="module")
def built() -> Iterator[Cloud]:
    plain = read_file(OBJECTS)
    databases = {"databases": {"ledger": {"users": ("platform/gateway",)}}}
    wish = {"cert_manager": {}, "external_secrets": {}, "backup": {}, "cloudnative_pg": databases}
    stack = plain.model_copy(update={"services": Services.model_validate(wish)})
    computed: dict[str, Computed] = {**COMPUTED, SIZING: planned, **dict.fromkeys(IDENTITIES, identities_as_a_map)}
    computed["azure-native:containerservice:ManagedCluster"] = aks
    computed["gcp:serviceaccount/account:Account"] = account
    computed["aws:s3/bucket:Bucket"] = lambda args: {"bucket": f"{args.name}-0123456"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
        cloud = Cloud(answers=answers(stack), computed=computed)
        yield attach(cloud, "test").build(lambda: Platform("platform", stack).export())
    settings.reset_options()


def sidecar(cloud: Cloud, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.of_type(f"{S3}{kind}:Bucket{kind}")[name]
    return found


def statements(text: str) -> dict[str, dict[str, Any]]:
    return {each["Sid"]: each for each in json.loads(text)["Statement"]}


def test_s3_is_closed_encrypted_with_an_own_key_and_versioned(built: Cloud) -> None:
    name = f"{AWS}-photos"
    assert built.of_type(f"{S3}:Bucket")[name]["region"] == "eu-west-1"
    assert not built.of_type(f"{S3}:Bucket")[name]["forceDestroy"]
    block = sidecar(built, "PublicAccessBlock", name)
    sides = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert all(block[each] is True for each in sides)
    (rule,) = sidecar(built, "ServerSideEncryptionConfiguration", name)["rules"]
    default = rule["applyServerSideEncryptionByDefault"]
    assert default["sseAlgorithm"] == "aws:kms"
    assert default["kmsMasterKeyId"].endswith(f"{name}-key")
    assert sidecar(built, "Versioning", name)["versioningConfiguration"] == {"status": "Enabled"}
    (kept,) = sidecar(built, "LifecycleConfiguration", name)["rules"]
    assert kept["noncurrentVersionExpiration"] == {"noncurrentDays": 35}
    assert "expiration" not in kept
    told = statements(sidecar(built, "Policy", name)["policy"])
    assert told["OnlyTls"]["Effect"] == told["OnlyNewTls"]["Effect"] == "Deny"
    assert told["OnlyTls"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert told["OnlyNewTls"]["Condition"] == {"NumericLessThan": {"s3:TlsVersion": "1.2"}}
    assert len(told["OnlyTls"]["Resource"]) == 2
    key = statements(built.of_type("aws:kms/key:Key")[f"{name}-key"]["policy"])
    assert key["Through"]["Condition"]["StringEquals"]["kms:ViaService"] == "s3.eu-west-1.amazonaws.com"


def test_access_logs_arrive_because_their_bucket_has_neither_kms_nor_a_lock(built: Cloud) -> None:
    name = f"{AWS}-photos"
    logging = sidecar(built, "Logging", name)
    assert logging["targetBucket"] != logging["bucket"]
    logs = f"{name}-logs"
    assert logging["targetBucket"].startswith(logs)
    (rule,) = sidecar(built, "ServerSideEncryptionConfiguration", logs)["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    assert "objectLockEnabled" not in built.of_type(f"{S3}:Bucket")[logs]
    told = statements(sidecar(built, "Policy", logs)["policy"])
    assert told["Logs"]["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert told["Logs"]["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert told["NobodyDeletes"]["Effect"] == "Deny"
    assert told["NobodyDeletes"]["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    assert "Condition" not in told["NobodyDeletes"]
    (kept,) = sidecar(built, "LifecycleConfiguration", logs)["rules"]
    assert kept["expiration"] == {"days": 365}


def test_one_trail_records_the_account_into_a_locked_bucket(built: Cloud) -> None:
    (trail,) = built.of_type("aws:cloudtrail/trail:Trail").values()
    assert trail["isMultiRegionTrail"]
    assert trail["enableLogFileValidation"]
    assert trail["kmsKeyId"]
    assert trail["cloudWatchLogsGroupArn"].endswith(":*")
    assert trail["name"] == "test-account"
    (lock,) = built.of_type(f"{S3}ObjectLockConfiguration:BucketObjectLockConfiguration").values()
    assert lock["rule"]["defaultRetention"] == {"mode": "GOVERNANCE", "days": 365}
    told = statements(sidecar(built, "Policy", "aws-trail-records")["policy"])
    arn = "arn:aws:cloudtrail:eu-west-1:123456789012:trail/test-account"
    assert told["Write"]["Condition"]["StringEquals"]["aws:SourceArn"] == arn
    assert told["Write"]["Resource"][0].endswith("/AWSLogs/123456789012/*")
    assert built.of_type(f"{S3}:Bucket")["aws-trail-records"]["tags"]["purpose"] == "audit"


def test_elsewhere_is_the_other_region_and_so_is_the_key(built: Cloud) -> None:
    buckets = {**built.of_type(f"{S3}:Bucket"), **built.of_type("gcp:storage/bucket:Bucket")}
    assert buckets[f"{AWS}-copies"]["region"] == buckets[f"{AWS}-copies-logs"]["region"] == "us-east-1"
    assert built.of_type("aws:kms/key:Key")[f"{AWS}-copies-key"]["region"] == "us-east-1"
    assert buckets[f"{GCP}-copies"]["location"] == "US-CENTRAL1"
    ring = built.of_type("gcp:kms/keyRing:KeyRing")[f"{GCP}-copies"]
    assert ring["location"] == "us-central1"
    assert built.of_type("gcp:kms/cryptoKey:CryptoKey")[f"{GCP}-copies-key"]["keyRing"] == f"{GCP}-copies-id"
    accounts = built.of_type("azure-native:storage:StorageAccount")
    assert accounts[f"{AZURE}-copies"]["location"] == "eastus"
    assert accounts[f"{AZURE}-copies"]["sku"]["name"] == "Standard_LRS"  # one zone there
    assert accounts[f"{AZURE}-photos"]["location"] == "westeurope"
    assert accounts[f"{AZURE}-photos"]["sku"]["name"] == "Standard_ZRS"


def test_backups_lie_in_the_other_region_under_a_key_of_their_own_and_longer_than_velero_keeps_them(
    built: Cloud,
) -> None:
    buckets = {**built.of_type(f"{S3}:Bucket"), **built.of_type("gcp:storage/bucket:Bucket")}
    assert buckets["aws-eu-west-1-backups"]["region"] == "us-east-1"
    assert buckets["aws-us-east-1-backups"]["region"] == "eu-west-1"
    assert built.of_type("aws:kms/key:Key")["aws-eu-west-1-backups-key"]["region"] == "us-east-1"
    (kept,) = sidecar(built, "LifecycleConfiguration", "aws-eu-west-1-backups")["rules"]
    assert kept["noncurrentVersionExpiration"] == {"noncurrentDays": 37}
    assert "expiration" not in kept
    assert buckets["gcp-europe-west1-backups"]["location"] == "US-CENTRAL1"
    assert buckets["gcp-europe-west1-backups"]["softDeletePolicy"] == {"retentionDurationSeconds": 37 * DAY}
    account = built.of_type("azure-native:storage:StorageAccount")["azure-westeurope-backups"]
    assert account["location"] == "eastus"
    rights = statements(built.of_type("aws:iam/rolePolicy:RolePolicy")["aws-eu-west-1-velero-grants"]["policy"])
    assert {each["Resource"][0].rpartition(":")[2] for sid, each in rights.items() if "Key" not in sid} == {
        "aws-eu-west-1-backups", "aws-eu-west-1-backups/*",
    }  # fmt: skip
    (limit,) = built.of_type("aws:iam/policy:Policy").values()
    held = statements(limit["policy"])["Objects"]["Resource"]
    assert any(fnmatch("arn:aws:s3:::aws-eu-west-1-backups-0123456", each) for each in held)
    assert not any(fnmatch("arn:aws:s3:::aws-trail-records-0123456", each) for each in held)


def test_databases_in_the_cluster_write_into_another_region_each_by_its_own_identity(built: Cloud) -> None:
    buckets = {**built.of_type(f"{S3}:Bucket"), **built.of_type("gcp:storage/bucket:Bucket")}
    assert buckets["aws-eu-west-1-db-backups"]["region"] == "us-east-1"
    assert buckets["gcp-europe-west1-db-backups"]["location"] == "US-CENTRAL1"
    assert built.of_type("azure-native:storage:StorageAccount")["azure-westeurope-db-backups"]["location"] == "eastus"
    (kept,) = sidecar(built, "LifecycleConfiguration", "aws-eu-west-1-db-backups")["rules"]
    assert kept["noncurrentVersionExpiration"] == {"noncurrentDays": 37}
    policies = built.of_type("aws:iam/rolePolicy:RolePolicy")
    rights = statements(policies["aws-eu-west-1-databases-ledger-grants"]["policy"])
    assert {each["Resource"][0].rpartition(":")[2] for sid, each in rights.items() if "Key" not in sid} == {
        "aws-eu-west-1-db-backups", "aws-eu-west-1-db-backups/*",
    }  # fmt: skip
    (limit,) = built.of_type("aws:iam/policy:Policy").values()
    held = statements(limit["policy"])["Objects"]["Resource"]
    assert any(fnmatch("arn:aws:s3:::aws-eu-west-1-db-backups-0123456", each) for each in held)
    made = built.of_type("kubernetes:postgresql.cnpg.io/v1:Cluster")[
        "aws-eu-west-1-services-cloudnative-pg-cluster-databases-ledger"
    ]
    assert made["spec"]["managed"]["roles"][0]["name"] == "platform.gateway"


def test_eks_takes_snapshots_only_where_something_asks_for_them(built: Cloud) -> None:
    addons = {each["addonName"] for each in built.of_type("aws:eks/addon:Addon").values()}
    assert "snapshot-controller" in addons


def test_google_s_bucket_is_closed_encrypted_kept_and_recorded(built: Cloud) -> None:
    made = built.of_type("gcp:storage/bucket:Bucket")
    photos, copies, logs = made[f"{GCP}-photos"], made[f"{GCP}-copies"], made[f"{GCP}-photos-logs"]
    assert photos["publicAccessPrevention"] == "enforced"
    assert photos["uniformBucketLevelAccess"]
    assert photos["versioning"] == {"enabled": True}
    assert photos["encryption"]["defaultKmsKeyName"] == f"{GCP}-photos-key-id"
    assert photos["softDeletePolicy"] == {"retentionDurationSeconds": 35 * DAY}
    assert copies["softDeletePolicy"] == {"retentionDurationSeconds": 14 * DAY}
    assert {"daysSinceNoncurrentTime": 35} in [rule["condition"] for rule in photos["lifecycleRules"]]
    assert photos["logging"]["logBucket"] == f"{GCP}-photos-logs"
    assert logs["retentionPolicy"] == {"isLocked": True, "retentionPeriod": str(365 * DAY)}
    assert logs["labels"]["purpose"] == "audit"
    members = built.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    assert members[f"{GCP}-photos-logs-writer"]["role"] == "roles/storage.objectCreator"
    agent = built.of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")[f"{GCP}-photos-key-agent"]
    assert agent["member"] == "serviceAccount:service-100000000000@gs-project-accounts.iam.gserviceaccount.com"
    assert "gcp-storage" in built.of_type("gcp:projects/service:Service")


def test_azure_s_account_has_no_shared_key_and_no_way_in_but_its_endpoint(built: Cloud) -> None:
    made = built.of_type("azure-native:storage:StorageAccount")[f"{AZURE}-photos"]
    assert (made["publicNetworkAccess"], made["minimumTlsVersion"]) == ("Disabled", "TLS1_2")
    assert not made["allowSharedKeyAccess"]
    assert not made["allowBlobPublicAccess"]
    assert made["enableHttpsTrafficOnly"]
    assert made["encryption"]["keySource"] == "Microsoft.Keyvault"
    assert made["encryption"]["requireInfrastructureEncryption"]
    kept = built.of_type("azure-native:storage:BlobServiceProperties")[f"{AZURE}-copies"]
    assert kept["isVersioningEnabled"]
    assert kept["deleteRetentionPolicy"] == kept["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 14}
    endpoints = built.of_type("azure-native:network:PrivateEndpoint")
    assert endpoints[f"{AZURE}-photos-endpoint"]["privateLinkServiceConnections"][0]["groupIds"] == ["blob"]
    logs = built.of_type("azure-native:monitor:DiagnosticSetting")[f"{AZURE}-photos-log"]["logs"]
    assert [each["category"] for each in logs] == ["StorageRead", "StorageWrite", "StorageDelete"]


def test_a_network_of_azure_has_one_zone_for_all_its_accounts(built: Cloud) -> None:
    zones = built.of_type("azure-native:privatedns:PrivateZone")
    named = [name for name, each in zones.items() if each["privateZoneName"] == "privatelink.blob.core.windows.net"]
    assert sorted(named) == ["azure-eastus-blob", "azure-westeurope-blob"]


@pytest.mark.parametrize("engine", ["postgres", "redis"])
def test_two_stores_of_a_kind_share_their_zone(engine: str) -> None:
    plain = json.loads(read_file(OBJECTS.with_name("happy.azure-only.yaml")).model_dump_json(exclude_none=True))
    user = "platform/gateway"
    data = {name: {"engine": engine, "availability": "zone", "users": [user]} for name in ("one", "two")}
    stack = Stack.model_validate_json(json.dumps({**plain, "data": data, "sizing": {"quality": "fast"}}))
    computed: dict[str, Computed] = {**COMPUTED, SIZING: planned, **dict.fromkeys(IDENTITIES, identities_as_a_map)}
    computed["azure-native:containerservice:ManagedCluster"] = aks
    for kind in ("dbforpostgresql:Server", "redisenterprise:RedisEnterprise"):
        answered = {"fullyQualifiedDomainName": "a.example.org", "hostName": "a.example.org"}
        computed[f"azure-native:{kind}"] = lambda args, known=answered: {**identities_as_a_map(args), **known}
    cloud = attach(Cloud(answers=answers(stack), computed=computed), "test")
    cloud.build(lambda: Platform("platform", stack).export())
    settings.reset_options()
    zones = [each["privateZoneName"] for each in cloud.of_type("azure-native:privatedns:PrivateZone").values()]
    assert sorted(zones) == sorted(set(zones))
    assert len([zone for zone in zones if engine in zone]) == 1


def test_users_get_what_is_in_the_bucket_and_not_the_bucket(built: Cloud) -> None:
    rights = statements(
        built.of_type("aws:iam/rolePolicy:RolePolicy")["aws-eu-west-1-platform-gateway-grants"]["policy"]
    )
    actions = {action for each in rights.values() for action in each["Action"]}
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"} <= actions
    assert not {each for each in actions if each.startswith("s3:") and ("Policy" in each or "Bucket*" in each)}
    objects = {each["Resource"][0] for sid, each in rights.items() if sid.endswith("Objects")}
    assert len(objects) == 2
    assert all(each.endswith("/*") for each in objects)
    members = built.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    roles = {name: each["role"] for name, each in members.items() if "-logs-" not in name}
    assert set(roles.values()) == {"roles/storage.objectUser"}
    assert {"gcp-europe-west1-platform-worker-copies", "gcp-europe-west1-platform-gateway-photos"} <= set(roles)


def test_a_user_finds_host_and_bucket_and_may_go_there(built: Cloud) -> None:
    told = built.of_type("kubernetes:core/v1:ConfigMap")
    hosts = {name: told[f"{name}-photos-platform-gateway"]["data"]["host"] for name in (AWS, GCP, AZURE)}
    assert hosts[AWS] == "s3.eu-west-1.amazonaws.com"
    assert hosts[GCP] == "storage.googleapis.com"
    assert hosts[AZURE].endswith(".blob.core.windows.net")
    assert told[f"{AWS}-copies-platform-worker"]["data"]["host"] == "s3.us-east-1.amazonaws.com"
    assert told[f"{AWS}-photos-platform-gateway"]["data"]["database"].startswith(f"{AWS}-photos")
    policies = built.of_type("kubernetes:networking.k8s.io/v1:NetworkPolicy")
    for name in (AWS, GCP):
        ways = policies[f"{name}-photos-platform-gateway"]["spec"]["egress"]
        outside = [rule for rule in ways for peer in rule["to"] if peer["ipBlock"]["cidr"] == "0.0.0.0/0"]
        assert [port["port"] for rule in outside for port in rule["ports"]] == [443]


def test_names_of_buckets_fit_google_however_long_the_region(built: Cloud) -> None:
    del built
    name = bucket_name("gcp-northamerica-northeast1-data-the-longest-name-of-all-x-logs")
    assert len(name) + AUTONAME <= BUCKET_LIMIT
    assert name != bucket_name("gcp-northamerica-northeast1-data-the-longest-name-of-all-x-lock")
