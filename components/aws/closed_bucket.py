"""What every bucket of S3 has: encryption, versions with an end, a closed door, TLS only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.documents import Statement, deny, document_output

UNFINISHED_DAYS: Final = 7
"""When the parts of an upload that nobody finished go."""
EVERYBODY: Final = {"AWS": "*"}
TLS: Final = "1.2"


@dataclass(frozen=True, kw_only=True)
class ClosedArgs:
    """`key_arn` absent means that S3 encrypts with its own; versions go after `kept_days`, with `expires` all does."""

    region: str
    kept_days: int
    key_arn: pulumi.Input[str] | None = None
    expires: bool = False
    locked: bool = False
    protect: bool = False


class ClosedBucket(pulumi.ComponentResource):
    """One bucket; whoever fills it says by `statements` who may, and depends on what comes back."""

    bucket: aws.s3.Bucket

    def __init__(self, name: str, args: ClosedArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:ClosedBucket", name, {"region": args.region}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.bucket = aws.s3.Bucket(
            name,
            force_destroy=False,
            object_lock_enabled=True if args.locked else None,
            region=args.region,
            tags={"purpose": "audit"} if args.locked else None,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect or None),
        )
        self._encrypted = self._encrypt()
        self._versions = self._keep()
        self._block = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            region=args.region,
            opts=self._child,
        )
        self.register_outputs({})

    @property
    def objects(self) -> pulumi.Output[str]:
        """ARN of everything in it."""
        return pulumi.Output.concat(self.bucket.arn, "/*")

    def let(self, statements: Sequence[Statement] = ()) -> aws.s3.BucketPolicy:
        """Write the bucket's policy, after the public is blocked: S3 takes one change of its access at a time."""
        everything = [self.bucket.arn, self.objects]
        plain = {"Bool": {"aws:SecureTransport": "false"}}
        old = {"NumericLessThan": {"s3:TlsVersion": TLS}}
        return aws.s3.BucketPolicy(
            self._name,
            bucket=self.bucket.id,
            policy=document_output(
                deny("OnlyTls", ["s3:*"], everything, plain, EVERYBODY),
                deny("OnlyNewTls", ["s3:*"], everything, old, EVERYBODY),
                *statements,
            ),
            region=self._args.region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self._block, self._encrypted, self._versions]),
        )

    def _encrypt(self) -> pulumi.Resource:
        args = self._args
        default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="AES256" if args.key_arn is None else "aws:kms", kms_master_key_id=args.key_arn
        )
        return aws.s3.BucketServerSideEncryptionConfiguration(
            self._name,
            bucket=self.bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=default,
                    bucket_key_enabled=args.key_arn is not None,  # one call to KMS for many objects
                )
            ],
            region=args.region,
            opts=self._child,
        )

    def _keep(self) -> pulumi.Resource:
        args = self._args
        versions = aws.s3.BucketVersioning(
            self._name,
            bucket=self.bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            region=args.region,
            opts=self._child,
        )
        expiration = aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.kept_days)
        return aws.s3.BucketLifecycleConfiguration(
            self._name,
            bucket=self.bucket.id,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="old-versions",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    expiration=expiration if args.expires else None,
                    noncurrent_version_expiration=(
                        aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                            noncurrent_days=args.kept_days
                        )
                    ),
                    abort_incomplete_multipart_upload=(
                        aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                            days_after_initiation=UNFINISHED_DAYS
                        )
                    ),
                )
            ],
            region=args.region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versions]),
        )
