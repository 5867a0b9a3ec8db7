"""What the three clouds make for services and workloads of one stack file, judged on what was asked of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import MockResourceArgs, settings

from components.platform import Platform
from stacks.load import read_file
from tests.components.azure.region import identities_as_a_map
from tests.components.mock_cloud import COMPUTED, Cloud, Computed, attach
from tests.inventory.test_inventory import IDENTITIES, SIZING, aks, answers, planned

FILE = Path(__file__).parents[1] / "stackfiles" / "happy.all-that-clouds-make-for-services.yaml"
AWS, GCP, AZURE = "aws-eu-west-1", "gcp-europe-west1", "azure-westeurope"
ROLE_POLICY, ASSOCIATION = "aws:iam/rolePolicy:RolePolicy", "aws:eks/podIdentityAssociation:PodIdentityAssociation"
RELEASE, POLICY = "kubernetes:helm.sh/v3:Release", "kubernetes:networking.k8s.io/v1:NetworkPolicy"


def account(args: MockResourceArgs) -> Mapping[str, Any]:
    email = f"{args.inputs['accountId']}@example-test.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}", "name": f"projects/example-test/{email}"}


def database(args: MockResourceArgs) -> Mapping[str, Any]:
    secret = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!{args.name}"
    return {"address": f"{args.name}.rds.example.org", "masterUserSecrets": [{"secretArn": secret}]}


@pytest.fixture(scope="module")
def built() -> Iterator[Cloud]:
    stack = read_file(FILE)
    computed: dict[str, Computed] = {**COMPUTED, SIZING: planned, **dict.fromkeys(IDENTITIES, identities_as_a_map)}
    computed["azure-native:containerservice:ManagedCluster"] = aks
    computed["azure-native:dbforpostgresql:Server"] = lambda args: {
        **identities_as_a_map(args), "fullyQualifiedDomainName": f"{args.name}.postgres.database.azure.com",
    }  # fmt: skip
    computed["gcp:serviceaccount/account:Account"] = account
    computed["azure-native:keyvault:Key"] = lambda args: {"keyUriWithVersion": f"https://v.example.org/{args.name}/1"}
    computed["aws:rds/instance:Instance"] = database
    computed["aws:elasticache/replicationGroup:ReplicationGroup"] = {"primaryEndpointAddress": "carts.example.org"}
    computed["gcp:memorystore/instance:Instance"] = {
        "endpoints": [{"connections": [{"pscAutoConnection": {"ipAddress": "10.1.2.3", "port": 6379}}]}]
    }
    computed["azure-native:redisenterprise:RedisEnterprise"] = lambda args: {
        **identities_as_a_map(args),
        "hostName": f"{args.name}.westeurope.redis.azure.net",
    }
    computed["aws:kms/key:Key"] = {"keyId": "0123456789abcdef"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
        cloud = Cloud(answers=answers(stack), computed=computed)
        yield attach(cloud, "test").build(lambda: Platform("platform", stack).export())
    settings.reset_options()


def statements(cloud: Cloud, name: str) -> dict[str, dict[str, Any]]:
    """Statements of a role's policy by their Sid."""
    text = cloud.of_type(ROLE_POLICY)[name]["policy"]
    return {each["Sid"]: each for each in json.loads(text)["Statement"]}


def release(cloud: Cloud, name: str) -> dict[str, Any]:
    values: dict[str, Any] = cloud.of_type(RELEASE)[name]["values"]
    return values


def test_every_resource_has_an_explicit_provider(built: Cloud) -> None:
    assert built.without_provider() == []


def test_aws_reads_secrets_by_tag_and_decrypts_through_the_manager_only(built: Cloud) -> None:
    found = statements(built, f"{AWS}-external-secrets-grants")
    assert found["Secrets"]["Action"] == ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    assert found["Secrets"]["Resource"] == ["arn:aws:secretsmanager:eu-west-1:123456789012:secret:*"]
    assert found["Secrets"]["Condition"] == {"StringEquals": {"aws:ResourceTag/environment": "test"}}
    assert found["SecretsKey"]["Action"] == ["kms:Decrypt"]
    via = {"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}}
    assert found["SecretsKey"]["Condition"] == via
    tied = built.of_type(ASSOCIATION)[f"{AWS}-external-secrets"]
    assert (tied["namespace"], tied["serviceAccount"]) == ("external-secrets", "external-secrets")
    names = {each["name"] for each in built.of_type("aws:kms/alias:Alias").values()}
    assert "alias/test-eu-west-1/secrets" in names


def test_google_lets_one_account_of_the_cluster_become_one_of_its_own(built: Cloud) -> None:
    becomes = built.of_type("gcp:serviceaccount/iAMMember:IAMMember")[f"{GCP}-external-secrets-pods"]
    assert becomes["role"] == "roles/iam.workloadIdentityUser"
    assert becomes["member"] == "serviceAccount:example-test.svc.id.goog[external-secrets/external-secrets]"
    roles = built.of_type("gcp:projects/iAMMember:IAMMember")
    assert roles[f"{GCP}-external-secrets-secrets"]["role"] == "roles/secretmanager.secretAccessor"
    values = release(built, f"{GCP}-services-external-secrets-external-secrets")
    (email,) = values["serviceAccount"]["annotations"].values()
    assert roles[f"{GCP}-external-secrets-secrets"]["member"] == f"serviceAccount:{email}"
    assert "gcp-secretmanager" in built.of_type("gcp:projects/service:Service")


def test_azure_trusts_the_tokens_of_one_service_account(built: Cloud) -> None:
    kind = "azure-native:managedidentity:FederatedIdentityCredential"
    trusted = built.of_type(kind)[f"{AZURE}-external-secrets"]
    assert trusted["subject"] == "system:serviceaccount:external-secrets:external-secrets"
    assert trusted["audiences"] == ["api://AzureADTokenExchange"]
    role = built.of_type("azure-native:authorization:RoleAssignment")[f"{AZURE}-external-secrets-secrets"]
    assert role["roleDefinitionId"].endswith("4633458b-17de-408a-b874-0445c86b69e6")  # Key Vault Secrets User
    assert "/Vault/" in role["scope"]
    values = release(built, f"{AZURE}-services-external-secrets-external-secrets")
    assert values["podLabels"] == {"azure.workload.identity/use": "true"}
    assert "azure.workload.identity/client-id" in values["serviceAccount"]["annotations"]


def test_the_store_of_secrets_is_each_cloud_s_own(built: Cloud) -> None:
    found = built.of_type("kubernetes:external-secrets.io/v1:ClusterSecretStore")
    providers = {name.split("-services-")[0]: each["spec"]["provider"] for name, each in found.items()}
    assert providers[AWS] == {"aws": {"region": "eu-west-1", "service": "SecretsManager"}}
    assert providers[GCP] == {"gcpsm": {"projectID": "example-test"}}
    assert providers[AZURE]["azurekv"]["authType"] == "WorkloadIdentity"


@pytest.mark.parametrize(
    ("cluster", "provisioner", "key"),
    [
        (AWS, "ebs.csi.aws.com", "kmsKeyId"),
        (GCP, "pd.csi.storage.gke.io", "disk-encryption-kms-key"),
        (AZURE, "disk.csi.azure.com", "diskEncryptionSetID"),
    ],
)
def test_volumes_are_encrypted_with_an_own_key_and_bound_late(
    built: Cloud, cluster: str, provisioner: str, key: str
) -> None:
    made = built.of_type("kubernetes:storage.k8s.io/v1:StorageClass")[f"{cluster}-services-volumes"]
    assert made["provisioner"] == provisioner
    assert made["parameters"][key]
    assert made["volumeBindingMode"] == "WaitForFirstConsumer"
    claims = release(built, f"{cluster}-services-monitoring-monitoring")["prometheus"]["prometheusSpec"]["storageSpec"]
    assert claims["volumeClaimTemplate"]["spec"]["storageClassName"] == made["metadata"]["name"] == "encrypted"


def test_the_gateway_on_the_internet_answers_two_ranges_only(built: Cloud) -> None:
    sources = "service.beta.kubernetes.io/load-balancer-source-ranges"
    gateways = built.of_type("kubernetes:gateway.networking.k8s.io/v1:Gateway")
    for name, each in gateways.items():
        if name.endswith("-gateway-istio-system-gateway"):
            annotations = each["spec"]["infrastructure"]["annotations"]
            assert annotations[sources] == "203.0.113.0/24,198.51.100.0/24"
            assert not any("internal" in key.lower() for key in annotations), name
    groups = built.of_type("azure-native:network:NetworkSecurityGroup")
    (public,) = [rule for each in groups.values() for rule in each["securityRules"] if rule["name"] == "allow-gateway"]
    assert public["sourceAddressPrefixes"] == ["203.0.113.0/24", "198.51.100.0/24"]
    assert public["destinationPortRanges"] == ["80", "443"]


def test_pods_reach_credentials_and_the_cloud_s_own_services_and_no_other_link_local(built: Cloud) -> None:
    found = built.of_type(POLICY)
    ranges = {
        cluster: {
            peer["ipBlock"]["cidr"]
            for name, each in found.items()
            if name.startswith(f"{cluster}-services-external-secrets") and "egress" in each["spec"]
            for rule in each["spec"]["egress"]
            for peer in rule["to"]
            if "ipBlock" in peer
        }
        for cluster in (AWS, GCP, AZURE)
    }
    assert "169.254.170.23/32" in ranges[AWS]
    assert {"169.254.169.254/32", "169.254.169.252/32"} <= ranges[GCP]
    link_local = {each for each in ranges[AZURE] | ranges[AWS] if each.startswith("169.254.")}
    assert link_local <= {"169.254.170.23/32", "169.254.20.10/32"}


def test_no_rule_of_a_policy_is_open_to_everybody_by_an_empty_list(built: Cloud) -> None:
    for name, each in built.of_type(POLICY).items():
        for side, peers in (("egress", "to"), ("ingress", "from")):
            for rule in each["spec"].get(side) or ():
                assert rule.get(peers) != [], name


def test_rds_is_private_encrypted_kept_and_its_password_nobody_s(built: Cloud) -> None:
    made = built.of_type("aws:rds/instance:Instance")
    assert set(made) == {f"{AWS}-data-orders", f"{AWS}-data-reports"}
    orders = made[f"{AWS}-data-orders"]
    assert (orders["engine"], orders["engineVersion"], orders["instanceClass"]) == ("postgres", "17", "db.m7g.xlarge")
    assert (orders["allocatedStorage"], orders["maxAllocatedStorage"]) == (100, 200)
    assert orders["multiAz"]
    assert orders["storageEncrypted"]
    assert orders["deletionProtection"]
    assert orders["manageMasterUserPassword"]
    assert orders["iamDatabaseAuthenticationEnabled"]
    assert not orders["publiclyAccessible"]
    assert not orders["skipFinalSnapshot"]
    assert orders["backupRetentionPeriod"] == 35
    assert made[f"{AWS}-data-reports"]["backupRetentionPeriod"] == 14
    assert orders["kmsKeyId"] == orders["masterUserSecretKmsKeyId"] == orders["performanceInsightsKmsKeyId"]
    assert not {"password", "passwordWo"} & set(orders)
    forced = built.of_type("aws:rds/parameterGroup:ParameterGroup")[f"{AWS}-data-orders"]["parameters"]
    assert {"name": "rds.force_ssl", "value": "1"} in forced
    (rule,) = [
        each
        for name, each in built.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").items()
        if name == f"{AWS}-data-orders-from-nodes"
    ]
    assert (rule["fromPort"], rule["toPort"], "cidrIpv4" in rule) == (5432, 5432, False)


def test_cloud_sql_has_no_address_but_its_endpoint_and_knows_accounts_not_passwords(built: Cloud) -> None:
    made = built.of_type("gcp:sql/databaseInstance:DatabaseInstance")[f"{GCP}-data-orders"]
    inside = made["settings"]
    assert made["encryptionKeyName"]
    assert made["deletionProtection"]
    assert inside["deletionProtectionEnabled"]
    assert (inside["tier"], inside["availabilityType"], inside["diskSize"]) == ("db-custom-4-15360", "REGIONAL", 100)
    assert inside["ipConfiguration"]["ipv4Enabled"] is False
    assert inside["ipConfiguration"]["sslMode"] == "ENCRYPTED_ONLY"
    backup = inside["backupConfiguration"]
    assert backup["pointInTimeRecoveryEnabled"]
    assert backup["backupRetentionSettings"]["retainedBackups"] == 35
    users = built.of_type("gcp:sql/user:User")
    assert {each["type"] for each in users.values()} == {"CLOUD_IAM_SERVICE_ACCOUNT"}
    assert all(each["name"].endswith(".iam") and "password" not in each for each in users.values())
    assert len(users) == 2


def test_azure_s_server_takes_tokens_only_through_a_private_endpoint(built: Cloud) -> None:
    made = built.of_type("azure-native:dbforpostgresql:Server")[f"{AZURE}-data-orders"]
    assert made["authConfig"]["passwordAuth"] == "Disabled"
    assert made["authConfig"]["activeDirectoryAuth"] == "Enabled"
    assert made["network"] == {"publicNetworkAccess": "Disabled"}
    assert made["dataEncryption"]["type"] == "AzureKeyVault"
    assert made["storage"]["storageSizeGB"] == 128  # the next size that exists
    assert made["highAvailability"]["mode"] == "ZoneRedundant"
    assert made["backup"]["backupRetentionDays"] == 35
    kind = "azure-native:dbforpostgresql:AdministratorsMicrosoftEntra"
    assert {each["principalType"] for each in built.of_type(kind).values()} == {"ServicePrincipal"}
    endpoint = built.of_type("azure-native:network:PrivateEndpoint")[f"{AZURE}-data-orders-endpoint"]
    assert endpoint["privateLinkServiceConnections"][0]["groupIds"] == ["postgresqlServer"]
    rules = [rule for each in built.of_type("azure-native:network:NetworkSecurityGroup").values()
             for rule in each["securityRules"] if "5432" in rule.get("destinationPortRanges", [])]  # fmt: skip
    assert rules


def test_a_user_of_two_stores_has_one_identity_with_both(built: Cloud) -> None:
    found = statements(built, f"{AWS}-platform-worker-grants")
    secrets = {each["Resource"][0].rsplit("!", 1)[1] for each in found.values() if "Key" not in each["Sid"]}
    assert secrets == {f"{AWS}-data-orders", f"{AWS}-data-reports"}
    one = statements(built, f"{AWS}-platform-gateway-grants")
    kinds = {sid.rstrip("0123456789") for sid in one}
    assert kinds == {"Cache", "Database"} | {kind for kind in kinds if kind.endswith("Key")}
    (connect,) = [each for each in one.values() if each["Action"] == ["elasticache:Connect"]]
    assert all(each.startswith("arn:aws:elasticache:") for each in connect["Resource"])


def test_a_user_finds_where_to_go_and_its_pods_may_go_there(built: Cloud) -> None:
    told = built.of_type("kubernetes:core/v1:ConfigMap")[f"{GCP}-data-orders-platform-gateway"]
    assert told["metadata"]["name"] == "store-orders-gateway"
    assert (told["data"]["port"], told["data"]["database"], told["data"]["tls"]) == ("5432", "orders", "required")
    assert told["data"]["user"].endswith(".iam")
    way = built.of_type(POLICY)[f"{GCP}-data-orders-platform-gateway"]["spec"]
    assert way["podSelector"] == {"matchLabels": {"app": "gateway"}}
    first = way["egress"][0]
    assert [port["port"] for port in first["ports"]] == [5432]
    exits = {
        cluster: [
            peer["ipBlock"]["cidr"]
            for rule in built.of_type(POLICY)[f"{cluster}-data-orders-platform-gateway"]["spec"]["egress"]
            for peer in rule["to"]
        ]
        for cluster in (AWS, GCP, AZURE)
    }
    assert [cluster for cluster, ranges in exits.items() if "0.0.0.0/0" in ranges] == [AZURE]  # Entra's exchange
    secret = built.of_type("kubernetes:core/v1:ConfigMap")[f"{AWS}-data-orders-platform-gateway"]["data"]["secret"]
    assert secret.startswith("arn:aws:secretsmanager:")


def test_databases_are_copied_each_night_elsewhere_and_restored_for_a_trial_each_week(built: Cloud) -> None:
    (plan,) = built.of_type("aws:backup/plan:Plan").values()
    (rule,) = plan["rules"]
    assert (rule["schedule"], rule["lifecycle"]["deleteAfter"]) == ("cron(0 2 * * ? *)", 30)
    vaults = built.of_type("aws:backup/vault:Vault")
    assert {each["region"] for each in vaults.values()} == {"eu-west-1", "us-east-1"}
    assert all(each["kmsKeyArn"] for each in vaults.values())
    (copy,) = rule["copyActions"]
    assert copy["destinationVaultArn"].endswith("-copies")
    assert copy["lifecycle"]["deleteAfter"] == 30
    chosen = built.of_type("aws:backup/selection:Selection")
    assert {name.rsplit("-", 1)[1] for name in chosen} == {"orders", "reports"}
    (trial,) = built.of_type("aws:backup/restoreTestingPlan:RestoreTestingPlan").values()
    assert trial["scheduleExpression"] == "cron(0 5 ? * SUN *)"
    overrides = [
        each["restoreMetadataOverrides"]
        for each in built.of_type("aws:backup/restoreTestingSelection:RestoreTestingSelection").values()
    ]
    assert all(each["publiclyAccessible"] == "false" for each in overrides)


def test_caches_are_private_encrypted_spread_and_know_identities_only(built: Cloud) -> None:
    aws = built.of_type("aws:elasticache/replicationGroup:ReplicationGroup")[f"{AWS}-data-carts"]
    assert (aws["engine"], aws["nodeType"], aws["numCacheClusters"]) == ("valkey", "cache.m7g.large", 2)
    assert aws["automaticFailoverEnabled"]
    assert aws["multiAzEnabled"]
    assert aws["transitEncryptionMode"] == "required"
    assert aws["kmsKeyId"]
    assert aws["snapshotRetentionLimit"] == 35
    assert "authToken" not in aws
    (user,) = built.of_type("aws:elasticache/user:User").values()
    assert (user["authenticationMode"], user["userId"]) == ({"type": "iam"}, user["userName"])
    assert len(user["userId"]) <= 40
    google = built.of_type("gcp:memorystore/instance:Instance")[f"{GCP}-data-carts"]
    assert (google["authorizationMode"], google["transitEncryptionMode"]) == ("IAM_AUTH", "SERVER_AUTHENTICATION")
    assert google["automatedBackupConfig"]["retention"] == "3024000s"
    assert google["replicaCount"] == 1
    assert google["kmsKey"]
    assert google["deletionProtectionEnabled"]
    azure = built.of_type("azure-native:redisenterprise:RedisEnterprise")[f"{AZURE}-data-carts"]
    assert (azure["publicNetworkAccess"], azure["minimumTlsVersion"]) == ("Disabled", "1.2")
    assert azure["encryption"]["customerManagedKeyEncryption"]["keyEncryptionKeyUrl"]
    (held,) = built.of_type("azure-native:redisenterprise:Database").values()
    assert (held["accessKeysAuthentication"], held["clientProtocol"]) == ("Disabled", "Encrypted")
    told = built.of_type("kubernetes:core/v1:ConfigMap")
    ports = {name: told[f"{name}-data-carts-platform-gateway"]["data"]["port"] for name in (AWS, GCP, AZURE)}
    assert ports == {AWS: "6379", GCP: "6379", AZURE: "10000"}
    assert told[f"{AWS}-data-carts-platform-gateway"]["data"]["user"] == user["userName"]


def test_budgets_warn_at_each_share_and_by_forecast(built: Cloud) -> None:
    (aws,) = built.of_type("aws:budgets/budget:Budget").values()
    assert (aws["limitAmount"], aws["timeUnit"], aws["budgetType"]) == ("500.0", "MONTHLY", "COST")
    told = [(each["notificationType"], each["threshold"]) for each in aws["notifications"]]
    assert told == [("ACTUAL", 50.0), ("ACTUAL", 80.0), ("ACTUAL", 100.0), ("FORECASTED", 100.0)]
    assert all(
        each["subscriberEmailAddresses"] == ["team@example.org", "finance@example.org"] for each in aws["notifications"]
    )
    (monitor,) = built.of_type("aws:costexplorer/anomalyMonitor:AnomalyMonitor").values()
    assert json.loads(monitor["monitorSpecification"])["Tags"]["Values"] == ["test"]
    (google,) = built.of_type("gcp:billing/budget:Budget").values()
    assert google["billingAccount"] == "012345-6789AB-CDEF01"
    assert google["amount"]["specifiedAmount"] == {"currencyCode": "USD", "units": "300"}
    assert google["budgetFilter"]["projects"] == ["projects/100000000000"]
    bases = [(each["spendBasis"], each["thresholdPercent"]) for each in google["thresholdRules"]]
    assert bases[-1] == ("FORECASTED_SPEND", 1.0)
    assert len(google["allUpdatesRule"]["monitoringNotificationChannels"]) == 2
    (azure,) = built.of_type("azure-native:consumption:Budget").values()
    assert (azure["amount"], azure["timeGrain"]) == (200, "Monthly")
    assert azure["timePeriod"] == {"startDate": "2026-12-01T00:00:00Z", "endDate": "2036-12-01T00:00:00Z"}
    kinds = {each["thresholdType"] for each in azure["notifications"].values()}
    assert kinds == {"Actual", "Forecasted"}
    assert all(each["contactEmails"] for each in azure["notifications"].values())


def test_nothing_secret_is_in_any_input(built: Cloud) -> None:
    text = json.dumps([each.inputs for each in built.asked], default=str)
    assert "administratorLoginPassword" not in text
    assert '"password"' not in text.replace('"passwordKey"', "")


def test_what_is_left_out_leaves_nothing() -> None:
    """A stack file without data and budgets asks for none of their types."""
    stack = read_file(FILE)
    bare = stack.model_copy(
        update={
            "data": {},
            "budget": stack.budget.model_copy(update={"clouds": {}}),
            "services": type(stack.services)(),
        }
    )
    computed: dict[str, Computed] = {**COMPUTED, SIZING: planned, **dict.fromkeys(IDENTITIES, identities_as_a_map)}
    computed["azure-native:containerservice:ManagedCluster"] = aks
    cloud = attach(Cloud(answers=answers(bare), computed=computed), "test")
    cloud.build(lambda: Platform("platform", bare).export())
    settings.reset_options()
    words = (
        "rds",
        "sql/",
        "dbforpostgresql",
        "udget",
        "costexplorer",
        "StorageClass",
        "FederatedIdentity",
        "iAMMember:",
    )
    kinds = [kind for kind in cloud.counts() if any(word in kind for word in words)]
    assert kinds == ["gcp:projects/iAMMember:IAMMember"]  # of the nodes
