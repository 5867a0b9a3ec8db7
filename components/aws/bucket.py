"""A bucket of S3: closed, encrypted with a key of its own, with versions, and a second one for the log of its use."""

from __future__ import annotations

from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.closed_bucket import EVERYBODY, ClosedArgs, ClosedBucket
from components.aws.documents import allow, deny
from components.aws.key import Key, KeyArgs
from components.aws.trail import recorded
from components.aws.workload_identity import used_through
from components.contracts import BucketArgs
from components.grants import UseBucket

LOGS_KEPT_DAYS: Final = 365
DELETIONS: Final = ("s3:DeleteObject", "s3:DeleteObjectVersion")


class Bucket(pulumi.ComponentResource):
    """One bucket that only identities of the account open, over TLS only; who opened what is recorded beside it.

    Access logs are delivered neither into a bucket whose default is SSE-KMS nor into one with Object Lock: the bucket
    of logs is encrypted by S3 itself, and its policy denies everybody to delete; its lifecycle does, after a year.
    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html and
    .../object-lock-managing.html, 2026-11.
    """

    name: pulumi.Output[str]
    resource: pulumi.Output[str]
    region: str
    host: pulumi.Output[str]
    ready: pulumi.Resource

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Bucket", name, {"region": args.region}, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = account_of(self)
        recorded(account, args.environment, protect=args.protect)
        key = Key(
            f"{name}-key",
            KeyArgs(
                description=f"{args.what} of {args.environment} in {args.region}",
                region=args.region,
                users=[used_through("s3", args.region, account)],
                protect=args.protect,
            ),
            child,
        )
        closed = ClosedArgs(region=args.region, kept_days=args.kept_days, key_arn=key.arn, protect=args.protect)
        held = ClosedBucket(name, closed, child)
        logs = ClosedBucket(
            f"{name}-logs",
            ClosedArgs(region=args.region, kept_days=LOGS_KEPT_DAYS, expires=True, protect=args.protect),
            child,
        )
        bound = {
            "ArnLike": {"aws:SourceArn": held.bucket.arn},
            "StringEquals": {"aws:SourceAccount": account.account_id},
        }
        written = logs.let(
            [
                allow("Logs", ["s3:PutObject"], [logs.objects], bound, {"Service": "logging.s3.amazonaws.com"}),
                deny("NobodyDeletes", DELETIONS, [logs.objects], None, EVERYBODY),
            ]
        )
        aws.s3.BucketLogging(
            name,
            bucket=held.bucket.id,
            target_bucket=logs.bucket.id,
            target_prefix="access/",
            region=args.region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[written]),
        )
        self.name, self.region = held.bucket.bucket, args.region
        self.resource = held.bucket.arn
        self.host = pulumi.Output.from_input(f"s3.{args.region}.{account.dns_suffix}")
        self.ready = held.let()
        self.register_outputs({"name": self.name})

    def use(self, key: str, *, read_only: bool = False) -> UseBucket:
        """What an identity needs for what is in it; `key` tells several buckets of one identity apart."""
        return UseBucket(name=self.name, resource=self.resource, key=key, read_only=read_only)
