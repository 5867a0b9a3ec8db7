"""Identities of pods on GKE: a service account of Google per account of the cluster, with the least it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

import pulumi
import pulumi_gcp as gcp

from components.gcp.account import Account
from components.gcp.names import workload_account_id
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

ANNOTATION = "iam.gke.io/gcp-service-account"
MAY_BECOME = "roles/iam.workloadIdentityUser"
ON_PROJECT: Final[Mapping[type, str]] = {
    ReadSecrets: "secrets",
    ReadPrices: "prices",
    ChangeNames: "zones",
    UseDatabase: "database",
    UseCache: "cache",
}
"""Grants that come with a role on the project, which is the stack's own: its secrets and stores are."""
ROLES: Final[Mapping[str, str]] = {
    "secrets": "roles/secretmanager.secretAccessor",
    "prices": "roles/compute.viewer",
    "zones": "roles/dns.reader",
    "database": "roles/cloudsql.instanceUser",
    "cache": "roles/memorystore.dbConnectionUser",
}


@dataclass(frozen=True, kw_only=True)
class Place:
    """The cluster whose pods get an identity, by what its accounts are called."""

    name: str
    cluster: pulumi.Resource
    environment: str
    region: str


def pod_account(
    place: Place, holder: Holder, grants: Sequence[Grant], account: Account, opts: pulumi.ResourceOptions
) -> PodIdentity:
    """Make the account, let the pods become it, and grant it what it needs.

    Source: cloud.google.com/kubernetes-engine/docs/how-to/workload-identity (read 2026-11-21).
    """
    name = f"{place.name}-{holder.key}"
    child = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(provider=account.provider))
    made = gcp.serviceaccount.Account(
        name,
        project=account.project,
        account_id=workload_account_id(place.environment, place.region, holder.key),
        display_name=f"{holder.namespace}/{holder.account} of {place.environment} in {place.region}",
        opts=child,
    )
    becomes = gcp.serviceaccount.IAMMember(
        f"{name}-pods",
        service_account_id=made.name,
        role=MAY_BECOME,
        member=pulumi.Output.format(
            "serviceAccount:{0}.svc.id.goog[{1}/{2}]", account.project, holder.namespace, holder.account
        ),
        opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=[place.cluster])),  # brings the pool
    )
    given = list(_given(name, grants, made.member, account, child))
    return PodIdentity(
        principal=made.email,
        subject=made.email,
        login=made.email.apply(lambda email: email.removesuffix(".gserviceaccount.com")),
        annotations={ANNOTATION: made.email},
        ready=(becomes, *given),
    )


def _given(
    name: str,
    grants: Sequence[Grant],
    member: pulumi.Output[str],
    account: Account,
    opts: pulumi.ResourceOptions,
) -> Iterator[pulumi.Resource]:
    """Yield what is granted: each role of the project once, however many grants ask for it."""
    for key in sorted({ON_PROJECT[type(each)] for each in grants if type(each) in ON_PROJECT}):
        yield gcp.projects.IAMMember(
            f"{name}-{key}", project=account.project, role=ROLES[key], member=member, opts=opts
        )
    for grant in grants:
        match grant:
            case ChangeNames():
                yield gcp.dns.DnsManagedZoneIamMember(
                    f"{name}-records",
                    project=account.project,
                    managed_zone=grant.zone,
                    role="roles/dns.admin",
                    member=member,
                    opts=opts,
                )
            case UseBucket():
                yield gcp.storage.BucketIAMMember(
                    f"{name}-{grant.key}",
                    bucket=grant.name,
                    role=f"roles/storage.object{'Viewer' if grant.read_only else 'User'}",
                    member=member,
                    opts=opts,
                )
            case ReadSecrets() | ReadPrices() | UseDatabase() | UseCache() | ScaleNodes():
                continue  # of the project, or nothing: GKE scales its pools itself
            case _:
                assert_never(grant)
