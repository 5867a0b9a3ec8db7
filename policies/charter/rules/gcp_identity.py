"""Rules over who may do what in Google Cloud, and what is recorded of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from charter.demands import demand, forbidden
from charter.facts import Facts
from charter.grants import grants, roles
from charter.graph import Graph
from charter.rule import CRITICAL, HIGH, Finding, Found, Open, Resource, apart, resource_rule, stack_rule
from charter.rules.gcp_cluster import CLUSTER
from charter.sidecars import some
from charter.values import Reader

EVERYBODY = (
    "allUsers",
    "allAuthenticatedUsers",
)
BROAD_ROLES = (
    "roles/owner",
    "roles/editor",
)
TOKEN_ROLES = (
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountUser",
    "roles/iam.workloadIdentityUser",
)


AUDITS = (
    "gcp:projects/iAMAuditConfig:IAMAuditConfig",
    "gcp:folder/iamAuditConfig:IamAuditConfig",
    "gcp:organizations/iamAuditConfig:IamAuditConfig",
)
WIDE = ("projects", "folder", "organizations")
WIDE_TYPES = tuple(f"gcp:{module}/" for module in WIDE)
GRANTS = re.compile(r"I[aA][mM](Member|Binding|Policy)$")
"""How kinds are called that grant roles, on whatever thing."""
DATASETS = ("gcp:bigquery/dataset:Dataset", "gcp:bigquery/datasetAccess:DatasetAccess")
"""Where BigQuery writes down who gets in, beside its kinds for roles."""
ELSEWHERE = (
    *("gcp:storage/bucket", "gcp:storage/managedFolder"),
    *("gcp:kms/cryptoKey", "gcp:kms/keyRing"),
)
"""Of these GCP-STO-01 and GCP-KMS-01 tell."""


def _grants_roles(resource: Resource) -> bool:
    return (resource.type in DATASETS or GRANTS.search(resource.kind) is not None) and not resource.type.startswith(
        ELSEWHERE
    )


def everybody(reader: Reader) -> Iterator[Found]:
    """Yield a finding for each grant to everybody."""
    for grant in grants(reader):
        if grant.member in EVERYBODY:
            yield Finding(grant.path, f"{grant.member} is everybody")


@resource_rule(
    "GCP-IAM-01",
    "Nobody owns or edits a project through the program, and nobody unknown gets a role.",
    CRITICAL,
    ["gcp:*"],
    remediation="Grant the narrowest predefined role, on the resource that needs it.",
    applies=_grants_roles,
)
def project_roles(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Judge the role, and who gets it; in a project, a folder or an organisation, by member, list or document.

    On one thing alone only everybody is refused: who holds it, its own rules tell.
    """
    reader = resource.reader
    if resource.type in DATASETS:
        yield from apart(_let_in(reader), *(_let_in(each) for each in _accesses(reader)))
        return
    yield from apart(everybody(reader))
    if resource.type.startswith(WIDE_TYPES):
        yield from apart(_roles(reader), _administrators(reader))


def _accesses(reader: Reader) -> Iterator[Reader]:
    held = reader.raw("accesses")
    for index, one in enumerate(held if isinstance(held, list) else [held]):
        if isinstance(one, dict):
            yield Reader(one, f"accesses[{index}]")


def _let_in(access: Reader) -> Iterator[Found]:
    for name in ("specialGroup", "iamMember"):
        if access.text(name) in EVERYBODY:
            yield Finding(access.at(name), f"{access.text(name)} is everybody")


def _roles(reader: Reader) -> Iterator[Found]:
    for path, role in roles(reader):
        if role in BROAD_ROLES:
            yield Finding(path, f"{role} is too broad for anyone")
        if role in TOKEN_ROLES:
            yield Finding(path, f"{role} on a whole project lets its holder become every service account in it")


def _administrators(reader: Reader) -> Iterator[Found]:
    for grant in grants(reader):
        if grant.member.startswith("serviceAccount:") and "admin" in grant.role.lower():
            yield Finding(grant.where, "makes a service account an administrator")


demand(
    "GCP-IAM-02",
    "No key of a service account exists.",
    HIGH,
    ["gcp:serviceaccount/key:Key", "gcp:storage/hmacKey:HmacKey"],
    "Keys leak and live for ever; workloads have identities that the cloud renews.",
    forbidden("keys of service accounts are not allowed; use workload identity"),
    remediation="Use workload identity, or federation from outside.",
)


@stack_rule(
    "GCP-IAM-03",
    "Every access to every API of a project is recorded.",
    HIGH,
    [*AUDITS, CLUSTER],
    remediation="Add IAMAuditConfig for allServices with ADMIN_READ, DATA_READ and DATA_WRITE, nobody exempted.",
)
def audit(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Where something is built in a project, its accesses are recorded, there or in what the project is part of."""
    configs = graph.of(*AUDITS)
    if not configs and not graph.of(CLUSTER):
        return
    answer = some(configs, _everything, "auditLogConfigs")
    if isinstance(answer, Open):
        yield answer
    elif not answer:
        where = configs[0].urn if configs else graph.of(CLUSTER)[0].urn
        yield Finding("", "no IAMAuditConfig for allServices records every access of everybody", where)


def _everything(reader: Reader) -> bool:
    configs = list(reader.each("auditLogConfigs"))
    kinds = {config.text("logType") for config in configs}
    exempted = any(config.has("exemptedMembers") for config in configs)
    return (
        reader.text("service") == "allServices" and kinds >= {"ADMIN_READ", "DATA_READ", "DATA_WRITE"} and not exempted
    )
