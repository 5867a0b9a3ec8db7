"""Values of databases, caches, budgets and identities that the stand-in clouds take, and such that they refuse."""

from __future__ import annotations

from typing import Any

GOOD: dict[str, dict[str, Any]] = {
    "aws_database": {"manageMasterUserPassword": True, "masterUserSecretKmsKeyId": "k", "storageEncrypted": True,
                     "kmsKeyId": "k", "skipFinalSnapshot": False, "finalSnapshotIdentifier": "last"},
    "aws_cache": {"userGroupIds": ["g"], "transitEncryptionEnabled": True, "numCacheClusters": 2,
                  "automaticFailoverEnabled": True, "multiAzEnabled": True},
    "aws_cache_user": {"authenticationMode": {"type": "iam"}, "userId": "a", "userName": "a"},
    "aws_monitor": {"monitorType": "CUSTOM", "monitorSpecification": "{}"},
    "aws_subscription": {"frequency": "DAILY", "subscribers": [{"type": "EMAIL", "address": "a@example.org"}]},
    "gcp_channel": {"type": "email", "labels": {"email_address": "a@example.org"}},
    "gcp_database": {"settings": {"availabilityType": "REGIONAL", "backupConfiguration": {"enabled": True},
                                  "ipConfiguration": {"ipv4Enabled": False, "pscConfigs": [{"pscEnabled": True}]}}},
    "gcp_database_user": {"type": "CLOUD_IAM_SERVICE_ACCOUNT", "name": "a@example.iam"},
    "azure_database": {"authConfig": {"passwordAuth": "Disabled", "activeDirectoryAuth": "Enabled"},
                       "dataEncryption": {"type": "AzureKeyVault", "primaryUserAssignedIdentityId": "i"},
                       "sku": {"tier": "GeneralPurpose"}, "highAvailability": {"mode": "ZoneRedundant"}},
    "azure_budget": {"notifications": {"a": {"threshold": 80, "contactEmails": ["a@example.org"]}}},
}  # fmt: skip
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("aws_database", {"manageMasterUserPassword": False}, "password"),
    ("aws_database", {"finalSnapshotIdentifier": None}, "finalSnapshotIdentifier"),
    ("aws_database", {"storageEncrypted": False}, "kmsKeyId"),
    ("aws_cache", {"numCacheClusters": 1}, "automaticFailoverEnabled"),
    ("aws_cache", {"transitEncryptionEnabled": False}, "userGroupIds"),
    ("aws_cache_user", {"userName": "b"}, "userName"),
    ("aws_monitor", {"monitorSpecification": "{"}, "monitorSpecification"),
    ("aws_subscription", {"frequency": "IMMEDIATE"}, "frequency"),
    ("gcp_channel", {"labels": {}}, "labels"),
    ("gcp_database", {"settings": {"ipConfiguration": {"ipv4Enabled": False}}}, "settings.ipConfiguration"),
    ("gcp_database", {"settings": {"availabilityType": "REGIONAL"}}, "settings.backupConfiguration"),
    ("gcp_database_user", {"name": "a@example.iam.gserviceaccount.com"}, "name"),
    ("gcp_database_user", {"password": "x"}, "password"),
    ("azure_database", {"authConfig": {"passwordAuth": "Disabled"}}, "authConfig"),
    ("azure_database", {"authConfig": {}}, "administratorLogin"),
    ("azure_database", {"dataEncryption": {"type": "AzureKeyVault"}}, "dataEncryption"),
    ("azure_database", {"sku": {"tier": "Burstable"}}, "highAvailability"),
    ("azure_budget", {"notifications": {"a": {"threshold": 5000}}}, "notifications.a.threshold"),
    ("azure_budget", {"notifications": {"a": {"contactEmails": []}}}, "notifications.a.contactEmails"),
]
ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("aws:budgets/budget:Budget", {"timeUnit": "WEEKLY"}, "timeUnit"),
    ("aws:rds/instance:Instance", {"backupRetentionPeriod": 36}, "backupRetentionPeriod"),
    ("gcp:billing/budget:Budget", {"billingAccount": "mine"}, "billingAccount"),
    ("azure-native:consumption:Budget", {"timePeriod": {"startDate": "2026-12-15T00:00:00Z"}},
     "timePeriod.startDate"),
    ("azure-native:dbforpostgresql:Server", {"storage": {"storageSizeGB": 100}}, "storage.storageSizeGB"),
    ("azure-native:managedidentity:FederatedIdentityCredential", {"audiences": ["a", "b"]}, "audiences"),
]  # fmt: skip
"""Types, inputs, and the path of what their row refuses."""
