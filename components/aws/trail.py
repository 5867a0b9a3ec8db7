"""What is done in an account, by whom: one trail over all regions, once the stack keeps data in buckets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

import pulumi
import pulumi_aws as aws

from components.aws.account import Account, account_of
from components.aws.closed_bucket import ClosedArgs, ClosedBucket
from components.aws.documents import Statement, allow, document_output, trust
from components.aws.identity import Identity, IdentityArgs
from components.aws.key import Key, KeyArgs, used_by_logs
from components.aws.names import TRAIL_LIMIT, store_name

SERVICE: Final = {"Service": "cloudtrail.amazonaws.com"}
KEPT_DAYS: Final = 365
"""Rules AWS-S3-06 and CH-12."""


@dataclass(frozen=True, kw_only=True)
class TrailArgs:
    """`region` is where the trail and its records are kept."""

    environment: str
    region: str
    protect: bool


class Trail(pulumi.ComponentResource):
    """One trail with validated files in a locked bucket, and in a log group that can be searched.

    Records are locked for a year: in a protected stack for everybody (COMPLIANCE), in another one for everybody
    without the right to lift that (GOVERNANCE). Source: docs.aws.amazon.com/awscloudtrail/latest/userguide
    /create-s3-bucket-policy-for-cloudtrail.html, /create-kms-key-policy-for-cloudtrail.html,
    /send-cloudtrail-events-to-cloudwatch-logs.html, 2026-11.
    """

    def __init__(self, name: str, args: TrailArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Trail", name, {"region": args.region}, opts)
        self._name, self._args, self._account = name, args, account_of(self)
        self._child = pulumi.ResourceOptions(parent=self)
        account = self._account
        called = store_name(f"{args.environment}-account", TRAIL_LIMIT)
        self._arn = f"arn:{account.partition}:cloudtrail:{args.region}:{account.account_id}:trail/{called}"
        key = self._key()
        records = ClosedBucket(
            f"{name}-records",
            ClosedArgs(
                region=args.region,
                kept_days=KEPT_DAYS,
                key_arn=key.arn,
                expires=True,
                locked=True,
                protect=args.protect,
            ),
            self._child,
        )
        aws.s3.BucketObjectLockConfiguration(
            name,
            bucket=records.bucket.id,
            rule=aws.s3.BucketObjectLockConfigurationRuleArgs(
                default_retention=aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                    mode="COMPLIANCE" if args.protect else "GOVERNANCE", days=KEPT_DAYS
                )
            ),
            region=args.region,
            opts=self._child,
        )
        written = records.let(self._may_write(records))
        group = aws.cloudwatch.LogGroup(
            name,
            retention_in_days=KEPT_DAYS,
            kms_key_id=key.arn,
            region=args.region,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect or None),
        )
        stream = pulumi.Output.concat(group.arn, ":*")
        writer = Identity(
            f"{name}-writer",
            IdentityArgs(
                description="Writes what is done in the account to its log group",
                trust=trust("cloudtrail.amazonaws.com", account_id=account.account_id, source_arn=self._arn),
                inline={
                    "write": document_output(allow("Write", ["logs:CreateLogStream", "logs:PutLogEvents"], [stream]))
                },
            ),
            self._child,
        )
        aws.cloudtrail.Trail(
            name,
            name=called,  # its policies name it before it is there
            s3_bucket_name=records.bucket.id,
            kms_key_id=key.arn,
            cloud_watch_logs_group_arn=stream,
            cloud_watch_logs_role_arn=writer.arn,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            enable_logging=True,
            region=args.region,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect or None,
                depends_on=[written, *writer.ready],
                delete_before_replace=True,
            ),
        )
        self.register_outputs({})

    def _key(self) -> Key:
        account, region = self._account, self._args.region
        bound = {"StringEquals": {"aws:SourceArn": self._arn}}
        return Key(
            f"{self._name}-key",
            KeyArgs(
                description=f"Records of what is done in the account of {self._args.environment}",
                region=region,
                users=[
                    allow("Trail", ["kms:GenerateDataKey*", "kms:DescribeKey"], condition=bound, principal=SERVICE),
                    *used_by_logs(region, account.account_id, account.partition, account.dns_suffix),
                ],
                protect=self._args.protect,
            ),
            self._child,
        )

    def _may_write(self, records: ClosedBucket) -> list[Statement]:
        source = {"aws:SourceArn": self._arn}
        owned = {"StringEquals": {**source, "s3:x-amz-acl": "bucket-owner-full-control"}}
        below = pulumi.Output.concat(records.bucket.arn, f"/AWSLogs/{self._account.account_id}/*")
        return [
            allow("Look", ["s3:GetBucketAcl"], [records.bucket.arn], {"StringEquals": source}, SERVICE),
            allow("Write", ["s3:PutObject"], [below], owned, SERVICE),
        ]


_OF: Final[WeakKeyDictionary[Account, Trail]] = WeakKeyDictionary()


def recorded(account: Account, environment: str, *, protect: bool) -> Trail:
    """Return the trail of an account; the first that asks makes it, in the region where the account is opened."""
    if account not in _OF:
        _OF[account] = Trail(
            "aws-trail",
            TrailArgs(environment=environment, region=account.region, protect=protect),
            pulumi.ResourceOptions(parent=account, provider=account.provider),
        )
    return _OF[account]
