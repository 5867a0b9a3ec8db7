"""Charter: nobody gives himself more, nor both deploys and approves, nor reads another's secrets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from charter.documents import Malformed
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import HIGH, Finding, Found, Open, Resource, stack_rule
from charter.rules.aws_identity import ADMINISTRATES, ATTACHMENTS, granted
from charter.values import UNKNOWN, Undetermined
from charter.words import shown

EXCLUSIVE = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"
SECRET_READERS = frozenset({"get", "list", "watch", "*"})
SELF_CHANGE = (
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:CreatePolicyVersion",
)
DEPLOYS, APPROVES = (
    ("codepipeline:StartPipelineExecution", "eks:UpdateClusterConfig"),
    ("codepipeline:PutApprovalResult",),
)


@stack_rule(
    "CH-29",
    "Nobody can give himself more, nor both deploy and approve, nor read another's secrets.",
    HIGH,
    ["aws:iam/role:Role", "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding"],
    remediation="Part the permissions between two identities; bind accounts in their own namespace.",
    implies=("AWS-IAM-01", "AWS-IAM-02"),
)
def identities(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """The union of all that is attached to a role; bindings over namespaces for accounts."""
    for role in graph.of("aws:iam/role:Role"):
        held: dict[str, bool] = defaultdict(bool)
        try:
            for statement in (one for policy in _attached(graph, role) for one in granted(policy)):
                held["self"] |= any(statement.may(action) for action in SELF_CHANGE) and not statement.narrowed
                held["deploys"] |= any(statement.may(action) for action in DEPLOYS)
                held["approves"] |= any(statement.may(action) for action in APPROVES)
        except Undetermined as unknown:
            yield Open(unknown.path, role.urn)
            continue
        except Malformed:
            continue  # AWS-IAM-01 tells
        if held["self"] or _administers(graph, role):
            yield Finding("", "may change what it may do", role.urn)
        if held["deploys"] and held["approves"]:
            yield Finding("", "may both deploy and approve", role.urn)
    yield from _foreign_readers(graph)


def _administers(graph: Graph, role: Resource) -> bool:
    """Say whether one of AWS's own broad policies is attached."""
    held = [each.props.get("policyArn") for each in _attachments(graph, role)]
    lists = [role.props.get("managedPolicyArns")]
    lists += [each.props.get("policyArns") for each in graph.referrers(role, EXCLUSIVE, "roleName")]
    held += [arn for each in lists if isinstance(each, list) for arn in each]
    return any(str(arn).endswith(ADMINISTRATES) for arn in held)


def _attached(graph: Graph, role: Resource) -> Iterator[Resource]:
    yield role  # with its inline policies
    yield from graph.referrers(role, "aws:iam/rolePolicy:RolePolicy", "role")
    for attachment in _attachments(graph, role):
        yield from graph.named(attachment, "policyArn", "aws:iam/policy:Policy")


def _attachments(graph: Graph, role: Resource) -> list[Resource]:
    """Return what attaches policies to a role: one each, or one policy to several."""
    several = graph.referrers(role, "aws:iam/policyAttachment:PolicyAttachment", "roles")
    return [*graph.referrers(role, ATTACHMENTS[0], "role"), *several]


def _foreign_readers(graph: Graph) -> Iterator[Found]:
    rbac = "kubernetes:rbac.authorization.k8s.io/v1:"
    reading = {
        (each.provider_urn, each.kind, str(each.reader.raw("metadata.name")))
        for each in graph.of(f"{rbac}Role", f"{rbac}ClusterRole")
        if _reads_secrets(each.props.get("rules"))
    }
    for binding in graph.of(f"{rbac}RoleBinding"):
        ref, namespace = binding.reader, binding.reader.raw("metadata.namespace")
        if (binding.provider_urn, str(ref.raw("roleRef.kind")), str(ref.raw("roleRef.name"))) not in reading:
            continue
        subjects = binding.props.get("subjects")
        for index, subject in enumerate(subjects if isinstance(subjects, list) else []):
            if (
                isinstance(subject, dict)
                and namespace is not UNKNOWN
                and subject.get("namespace") not in (None, namespace, UNKNOWN)
            ):
                yield Finding(f"subjects[{index}].namespace", f"reads the secrets of {shown(namespace)}", binding.urn)


def _words(value: Any) -> set[str]:
    return {each for each in value if isinstance(each, str)} if isinstance(value, list) else set()


def _reads_secrets(rules: Any) -> bool:
    return isinstance(rules, list) and any(
        isinstance(rule, dict)
        and {"secrets", "*"} & _words(rule.get("resources"))
        and SECRET_READERS & _words(rule.get("verbs"))
        for rule in rules
    )
