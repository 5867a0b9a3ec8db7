"""Identities of pods on EKS: a role per service account, through Pod Identity, with the least that its grants need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.aws.account import Account, account_of
from components.aws.documents import Statement, allow, document_output
from components.aws.identity import Identity, IdentityArgs, pod_trust
from components.aws.key import USE, Key, KeyArgs
from components.grants import (
    ChangeNames,
    Grant,
    Holder,
    PodIdentity,
    ReadPrices,
    ReadSecrets,
    ScaleNodes,
    UseBucket,
    UseCache,
    UseDatabase,
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """The cluster whose pods get an identity; `cluster` is its name once it stands, `arn` is written down."""

    cluster: pulumi.Input[str]
    physical_name: str
    arn: str
    region: str
    environment: str


def pod_role(
    owner: pulumi.ComponentResource,
    place: Place,
    holder: Holder,
    grants: Sequence[Grant],
    more: Sequence[Statement] = (),
) -> PodIdentity:
    """Make the role of a service account and tie it to the account; logical names start with the cluster's.

    `more` is what no grant of every cloud says.
    """
    where = account_of(owner)
    name = f"{owner.pulumi_resource_name}-{holder.key}"
    role = Identity(
        name,
        IdentityArgs(
            description=f"{holder.namespace}/{holder.account} in {place.physical_name}",
            trust=pod_trust(where.account_id, place.arn),
            inline={"grants": document_output(*statements(grants, where, place), *more)},
        ),
        pulumi.ResourceOptions(parent=owner),
    )
    tied = aws.eks.PodIdentityAssociation(
        name,
        cluster_name=place.cluster,
        namespace=holder.namespace,
        service_account=holder.account,
        role_arn=role.arn,
        region=place.region,
        opts=pulumi.ResourceOptions(parent=owner, depends_on=list(role.ready)),
    )
    return PodIdentity(principal=role.arn, subject=role.arn, login=pulumi.Output.from_input("platform"), ready=(tied,))


def statements(grants: Sequence[Grant], account: Account, place: Place) -> Iterator[Statement]:
    """Yield what each grant allows; tags narrow what ARNs cannot."""
    for index, grant in enumerate(grants):
        match grant:
            case ReadSecrets():
                yield from _secrets(grant, account, place)
            case ReadPrices():
                yield allow("Prices", ["pricing:GetProducts", "ec2:DescribeAddresses", "ec2:DescribeVolumes"])
            case ChangeNames():
                zone = pulumi.Output.format("arn:{0}:route53:::hostedzone/{1}", account.partition, grant.zone)
                yield allow("Records", ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"], [zone])
                yield allow("Zones", ["route53:ListHostedZones", "route53:ListHostedZonesByName"])
            case UseBucket():
                yield from _bucket(grant, f"Bucket{index}", account)
            case UseDatabase():
                read = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
                yield allow(f"Database{index}", read, [grant.secret])
                yield decrypt(f"Database{index}Key", account, place.region, "secretsmanager")
            case UseCache():
                yield allow(f"Cache{index}", ["elasticache:Connect"], [grant.resource, grant.user])
            case ScaleNodes():
                yield from _scaling(place)


def _secrets(grant: ReadSecrets, account: Account, place: Place) -> Iterator[Statement]:
    """Secrets that carry the stack's environment as a tag, decrypted through the manager only."""
    read = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    everywhere = f"arn:{account.partition}:secretsmanager:{place.region}:{account.account_id}:secret:*"
    tagged = {"StringEquals": {"aws:ResourceTag/environment": place.environment}}
    yield allow("Secrets", read, [everywhere], tagged)
    if grant.extra:
        yield allow("OwnSecrets", read, list(grant.extra))
    yield decrypt("SecretsKey", account, place.region, "secretsmanager")


def decrypt(sid: str, account: Account, region: str, service: str, *more: str) -> Statement:
    """Use keys of this account and region as far as a service of AWS does it on the caller's behalf."""
    keys = f"arn:{account.partition}:kms:{region}:{account.account_id}:key/*"
    via = {"StringEquals": {"kms:ViaService": f"{service}.{region}.{account.dns_suffix}"}}
    return allow(sid, ["kms:Decrypt", *more], [keys], via)


def _bucket(grant: UseBucket, sid: str, account: Account) -> Iterator[Statement]:
    objects = ["s3:GetObject", *([] if grant.read_only else ["s3:PutObject", "s3:DeleteObject"])]
    parts = [] if grant.read_only else ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    yield allow(f"{sid}Objects", [*objects, *parts], [pulumi.Output.concat(grant.resource, "/*")])
    yield allow(f"{sid}List", ["s3:ListBucket"], [grant.resource])
    keys = f"arn:{account.partition}:kms:*:{account.account_id}:key/*"
    via = {"StringLike": {"kms:ViaService": f"s3.*.{account.dns_suffix}"}}
    yield allow(f"{sid}Key", ["kms:Decrypt", *([] if grant.read_only else ["kms:GenerateDataKey"])], [keys], via)


def _scaling(place: Place) -> Iterator[Statement]:
    """What the cluster autoscaler calls; it changes groups of its own cluster only.

    Source: github.com/kubernetes/autoscaler cluster-autoscaler/cloudprovider/aws/README.md, 2026-11.
    """
    yield allow(
        "See",
        [
            "autoscaling:DescribeAutoScalingGroups",
            "autoscaling:DescribeAutoScalingInstances",
            "autoscaling:DescribeLaunchConfigurations",
            "autoscaling:DescribeScalingActivities",
            "autoscaling:DescribeTags",
            "ec2:DescribeImages",
            "ec2:DescribeInstanceTypes",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:GetInstanceTypesFromInstanceRequirements",
            "eks:DescribeNodegroup",
        ],
    )
    own = {"StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{place.physical_name}": "owned"}}
    change = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    yield allow("Scale", change, "*", own)


def used_through(service: str, region: str, account: Account) -> Statement:
    """Let IAM of this account decide who uses a key, as far as the use comes through one service of AWS.

    Source: docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service, 2026-11.
    """
    return allow(
        "Through",
        USE,
        condition={
            "StringEquals": {
                "kms:ViaService": f"{service}.{region}.{account.dns_suffix}",
                "kms:CallerAccount": account.account_id,
            }
        },
        principal={"AWS": f"{account.arn_root}:root"},
    )


def secrets_key(owner: pulumi.ComponentResource, place: Place, *, protect: bool) -> Key:
    """Make the key for secrets of this cluster's region, with an alias that people type when they store one."""
    name = f"{owner.pulumi_resource_name}-stored-secrets"
    account = account_of(owner)
    child = pulumi.ResourceOptions(parent=owner)
    key = Key(
        name,
        KeyArgs(
            description=f"Stored secrets of {place.physical_name}",
            region=place.region,
            users=[used_through("secretsmanager", place.region, account)],
            protect=protect,
        ),
        child,
    )
    aws.kms.Alias(
        name,
        name=f"alias/{place.physical_name}/secrets",
        target_key_id=key.resource.id,
        region=place.region,
        opts=child,
    )
    return key
