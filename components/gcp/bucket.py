"""A bucket of Cloud Storage: closed, encrypted with a key of its own, with versions, and a second one for its log."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_gcp as gcp

from components.contracts import BucketArgs
from components.gcp.account import Account
from components.gcp.keys import USE, crypto_key
from components.gcp.names import bucket_name
from components.grants import UseBucket

DAY_SECONDS: Final = 86_400
LOGS_KEPT_DAYS: Final = 365
UNFINISHED_DAYS: Final = 7
WRITER: Final = "group:cloud-storage-analytics@google.com"
"""Who writes usage logs: cloud.google.com/storage/docs/access-logs (read 2026-11-21)."""


class Bucket(pulumi.ComponentResource):
    """One bucket that only named accounts open; who opened what is recorded in a bucket whose retention is locked."""

    name: pulumi.Output[str]
    resource: pulumi.Output[str]
    region: str
    host: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(
        self,
        name: str,
        args: BucketArgs,
        account: Account,
        ring: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`ring` is a key ring of the cluster's region; a bucket elsewhere makes one there."""
        super().__init__("ecosystem:gcp:Bucket", name, {"region": args.region}, opts)
        self._args, self._account = args, account
        self._child = pulumi.ResourceOptions(parent=self, provider=account.provider)
        key = crypto_key(bucket_name(f"{name}-key"), self._ring(name, ring), protect=args.protect, opts=self._child)
        allowed = gcp.kms.CryptoKeyIAMMember(
            f"{name}-key-agent", crypto_key_id=key.id, role=USE, member=self._agent(), opts=self._child
        )
        made = pulumi.ResourceOptions(
            parent=self, provider=account.provider, depends_on=[allowed], protect=args.protect or None
        )
        logs = self._logs(bucket_name(f"{name}-logs"), key.id, made)
        written = gcp.storage.BucketIAMMember(
            f"{name}-logs-writer",
            bucket=logs.name,
            role="roles/storage.objectCreator",
            member=WRITER,
            opts=self._child,
        )
        bucket = self._bucket(bucket_name(name), key.id, logs.name, made, written)
        self.name = self.resource = bucket.name
        self.region = args.region
        self.host = pulumi.Output.from_input("storage.googleapis.com")
        self.ready = bucket
        self.register_outputs({"name": self.name})

    def use(self, key: str, *, read_only: bool = False) -> UseBucket:
        """What an identity needs for what is in it; `key` tells several buckets of one identity apart."""
        return UseBucket(name=self.name, resource=self.resource, key=key, read_only=read_only)

    def _ring(self, name: str, here: pulumi.Input[str]) -> pulumi.Input[str]:
        """A key lives where its bucket does; a ring is never deleted (components/gcp/keys.py)."""
        if not self._args.elsewhere:
            return here
        return gcp.kms.KeyRing(
            bucket_name(name),
            project=self._account.project,
            location=self._args.region,
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=self._account.provider,
                retain_on_delete=True,
                protect=self._args.protect or None,
            ),
        ).id

    def _agent(self) -> pulumi.Output[str]:
        """Cloud Storage's agent, which Google makes when it is first asked for."""
        found = gcp.storage.get_project_service_account_output(
            project=self._account.project,
            opts=pulumi.InvokeOutputOptions(parent=self, provider=self._account.provider),
        )
        return found.member

    def _bucket(
        self,
        name: str,
        key: pulumi.Input[str],
        logs: pulumi.Input[str],
        made: pulumi.ResourceOptions,
        written: pulumi.Resource,
    ) -> gcp.storage.Bucket:
        days = self._args.kept_days
        wish = self._closed(key, days)
        wish.lifecycle_rules = [
            _deleted(gcp.storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=days)),
            gcp.storage.BucketLifecycleRuleArgs(
                action=gcp.storage.BucketLifecycleRuleActionArgs(type="AbortIncompleteMultipartUpload"),
                condition=gcp.storage.BucketLifecycleRuleConditionArgs(age=UNFINISHED_DAYS),
            ),
        ]
        wish.logging = gcp.storage.BucketLoggingArgs(log_bucket=logs, log_object_prefix="access")
        return gcp.storage.Bucket(
            name, wish, opts=pulumi.ResourceOptions.merge(made, pulumi.ResourceOptions(depends_on=[written]))
        )

    def _logs(self, name: str, key: pulumi.Input[str], made: pulumi.ResourceOptions) -> gcp.storage.Bucket:
        """What is written stays a year and goes then; nobody can shorten that."""
        wish = self._closed(key, 7)
        wish.retention_policy = gcp.storage.BucketRetentionPolicyArgs(
            retention_period=str(LOGS_KEPT_DAYS * DAY_SECONDS), is_locked=True
        )
        wish.lifecycle_rules = [
            _deleted(gcp.storage.BucketLifecycleRuleConditionArgs(age=LOGS_KEPT_DAYS)),
            _deleted(gcp.storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=1)),
        ]
        wish.labels = {"purpose": "audit"}
        return gcp.storage.Bucket(name, wish, opts=made)

    def _closed(self, key: pulumi.Input[str], days: int) -> gcp.storage.BucketArgs:
        """What both have: a key of their own, versions, nothing public; what was deleted can be fetched for `days`."""
        return gcp.storage.BucketArgs(
            project=self._account.project,
            location=self._args.region.upper(),
            storage_class="STANDARD",
            force_destroy=False,
            public_access_prevention="enforced",
            uniform_bucket_level_access=True,
            encryption=gcp.storage.BucketEncryptionArgs(default_kms_key_name=key),
            versioning=gcp.storage.BucketVersioningArgs(enabled=True),
            soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=days * DAY_SECONDS),
        )


def _deleted(condition: gcp.storage.BucketLifecycleRuleConditionArgs) -> gcp.storage.BucketLifecycleRuleArgs:
    return gcp.storage.BucketLifecycleRuleArgs(
        action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"), condition=condition
    )
