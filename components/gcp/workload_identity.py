"""Identities of pods on GKE: a service account of Google per account of the cluster, with the least it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

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
    for index, grant in enumerate(grants):
        match grant:
            case ReadSecrets():  # the project is the stack's own: its secrets are
                yield _on_project(f"{name}-secrets", "roles/secretmanager.secretAccessor", member, account, opts)
            case ReadPrices():
                yield _on_project(f"{name}-prices", "roles/compute.viewer", member, account, opts)
            case ChangeNames():
                yield _on_project(f"{name}-zones", "roles/dns.reader", member, account, opts)
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
                    f"{name}-bucket{index or ''}",
                    bucket=grant.name,
                    role=f"roles/storage.object{'Viewer' if grant.read_only else 'User'}",
                    member=member,
                    opts=opts,
                )
            case UseDatabase():
                yield _on_project(f"{name}-database{index or ''}", "roles/cloudsql.instanceUser", member, account, opts)
            case UseCache():
                yield _on_project(
                    f"{name}-cache{index or ''}", "roles/memorystore.dbConnectionUser", member, account, opts
                )
            case ScaleNodes():
                continue  # GKE scales its pools itself
            case _:
                assert_never(grant)


def _on_project(
    name: str, role: str, member: pulumi.Output[str], account: Account, opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    return gcp.projects.IAMMember(name, project=account.project, role=role, member=member, opts=opts)
