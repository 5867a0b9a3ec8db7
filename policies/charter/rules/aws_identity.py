"""Rules over AWS identities: who may do what, and who may become whom."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from charter.demands import between, demand, in_production, named
from charter.documents import Malformed, Statement, each_statement, several, statements
from charter.facts import Facts
from charter.rule import CRITICAL, HIGH, MEDIUM, Finding, Found, Open, Resource, apart, resource_rule
from charter.values import UNKNOWN, Reader, Undetermined

ROLE = "aws:iam/role:Role"
POLICIES = (
    "aws:iam/policy:Policy",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/groupPolicy:GroupPolicy",
    "aws:iam/userPolicy:UserPolicy",
    "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
    ROLE,
)
ATTACHMENTS = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
    "aws:iam/groupPolicyAttachmentsExclusive:GroupPolicyAttachmentsExclusive",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/userPolicyAttachmentsExclusive:UserPolicyAttachmentsExclusive",
)
ADMINISTRATES = (":aws:policy/AdministratorAccess", ":aws:policy/PowerUserAccess", ":aws:policy/IAMFullAccess")
"""AWS's own policies whose holder may become anybody."""
BROAD = re.compile(r":aws:policy/(.*/)?(AdministratorAccess|PowerUserAccess|\w+FullAccess(_?[vV]\d+)?)$")
"""AWS's own policies that allow whole services, or all of them, on every resource.

Source: docs.aws.amazon.com/aws-managed-policy/latest/reference, 2026-11.
"""
CLAIMS = ("sub", "aud")
COGNITO = "cognito-identity.amazonaws.com"
ACCOUNT_FIELD = 4
ARN_FIELDS = 6
SILENT_SERVICES = frozenset({"ec2.amazonaws.com", "ec2.amazonaws.com.cn", "pods.eks.amazonaws.com"})
"""Services that ask for nobody else's sake: instance roles, and pods' roles, which AWS lets stand in the account of
their cluster only.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html,
docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html, 2026-11.
"""
ON_BEHALF = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})
ANY_SUBJECT = re.compile(r"^(repo|project_path|system:serviceaccount|organization|project)?[:/*?]+$")
"""Patterns of a token's subject that every repository, project or account of an issuer fits."""
ESCALATIONS = (
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
)
"""Actions that let their holder become more than it is (github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation)."""
OWN_USER = "user/${aws:username}"
"""How a policy names whoever asks: AWS's own examples let people renew their keys so."""
ON_ALL_ONLY = ("iam:PassRole", "sts:AssumeRole")
"""Harmless on a named role, an escalation on all of them."""
WILD = frozenset("*?[")
SESSION_SECONDS = 14_400


def judged_document(resource: Resource, name: str, judge: Callable[[Statement], Iterable[Found]]) -> Iterator[Found]:
    """Judge each statement of a document that allows something."""
    try:
        told = statements(resource.reader.raw(name), name)
        yield from each_statement(told, lambda one: judge(one) if one.allows else ())
    except Malformed:
        yield Finding(name, "is no JSON document")


def granted(resource: Resource) -> Iterator[Statement]:
    """Yield every statement that a policy, or a role by its inline policies, allows; a malformed document raises."""
    reader = resource.reader
    held = [(reader, name) for name in ("policy", "inlinePolicy") if reader.raw(name) is not None]
    unclear = ""
    try:
        for inline in reader.each("inlinePolicies"):
            held.append((inline, "policy"))  # noqa: PERF401  what came before an unknown counts
    except Undetermined as unknown:
        unclear = unknown.path
    for place, name in held:
        try:
            yield from (each for each in statements(place.raw(name), place.at(name)) if each.allows)
        except Undetermined as unknown:
            unclear = unclear or unknown.path
    if unclear:
        raise Undetermined(unclear)


@resource_rule(
    "AWS-IAM-01",
    "No policy allows everything on everything.",
    CRITICAL,
    [*POLICIES, *ATTACHMENTS],
    remediation="Name the actions and the resources.",
)
def no_wildcards(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """An Allow with `*`, `service:*` or NotAction on `*`, written or attached.

    A condition on what is touched, or by whom, narrows a service; one on how a request is made narrows nothing.
    """
    yield from apart(_attached(resource.reader, "policyArn"), _attached(resource.reader, "managedPolicyArn"))
    yield from apart(_attached(resource.reader, "managedPolicyArns"))
    yield from apart(_attached(resource.reader, "policyArns"))
    yield from each_statement(granted(resource), _broad)


def _broad(statement: Statement) -> Iterator[Found]:
    found = list(_whole(statement))
    if found and statement.on_everything and not statement.narrowed:
        yield from found
    if not found:
        statement.sure("Action")


def _whole(statement: Statement) -> Iterator[Found]:
    if statement.body.get("NotAction") is not None:
        yield Finding(f"{statement.path}.NotAction", "allows nearly every action on every resource")
    for index, action in enumerate(several(statement.body.get("Action"))):
        service, _, verb = str(action).partition(":")
        if action is not UNKNOWN and (_anything(service) or _anything(verb)):
            yield Finding(f"{statement.path}.Action[{index}]", "a whole service or more is allowed on every resource")


def _anything(pattern: str) -> bool:
    """Say whether a pattern is met by every name: stars, and at most a mark for the first letter."""
    return "*" in pattern and set(pattern) <= {"*", "?"}


def _attached(reader: Reader, name: str) -> Iterator[Found]:
    for path, arn in reader.items(name) if reader.raw(name) is not None and reader.raw(name) is not UNKNOWN else ():
        if BROAD.search(str(arn)):
            yield Finding(path, "allows a whole service or more on every resource")


@resource_rule(
    "AWS-IAM-02",
    "No policy lets its holder become more than it is.",
    HIGH,
    POLICIES,
    remediation="Drop the action, name the role in Resource, or bind it by a condition such as iam:PassedToService.",
)
def no_escalation(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Actions that rewrite permissions, on any resource; passing or taking roles, on all of them."""
    try:
        yield from each_statement(granted(resource), _escalates)
    except Malformed:
        return  # AWS-IAM-01 tells


def _about_identities(statement: Statement) -> bool:
    """Say at once, for most statements, that no action is one of identities, whatever its wildcards mean."""
    if statement.body.get("NotAction") is not None:
        return True
    return any(action.startswith(("iam:", "sts:")) or not WILD.isdisjoint(action[:4]) for action in statement.actions)


def _escalates(statement: Statement) -> Iterator[Found]:
    if not _about_identities(statement):
        statement.sure("Action")
        return
    held = [action for action in ESCALATIONS if statement.may(action)]
    if not held:
        held = [action for action in ON_ALL_ONLY if statement.may(action) and statement.on_every("role")]
    if held and not statement.narrowed and not _own(statement):
        yield Finding(f"{statement.path}.Action", f"allows {held[0]} without a condition")


def _own(statement: Statement) -> bool:
    """Say whether it is about nobody but whoever asks, whose rights it already has."""
    held = statement.resources
    return bool(held) and all(each.endswith(OWN_USER) for each in held)


@resource_rule(
    "AWS-IAM-03",
    "A role says exactly who may take it.",
    CRITICAL,
    [ROLE],
    remediation="Name the principal; pin sub and aud for OIDC, ExternalId for accounts, SourceAccount for services.",
)
def trust(resource: Resource, facts: Facts) -> Iterator[Found]:
    """Judge who may assume the role, by the kind of principal."""
    yield from judged_document(
        resource,
        "assumeRolePolicy",
        lambda one: apart(_anybody(one), _federated(one), _services(one), _accounts(one, facts)),
    )


def _anybody(statement: Statement) -> Iterator[Found]:
    if any(who == "*" or (who.startswith("arn:") and ":*:" in who) for who in statement.principals):
        yield Finding(f"{statement.path}.Principal", "anybody may take this role")


def _federated(statement: Statement) -> Iterator[Found]:
    if not statement.by_kind("Federated") or not statement.may("sts:AssumeRoleWithWebIdentity"):
        return
    pinned = statement.pinned(*(f":{claim}" for claim in CLAIMS))
    missing = [claim for claim in CLAIMS if f":{claim}" not in pinned]
    if statement.by_kind("Federated") == [COGNITO] and f"{COGNITO}:amr" in statement.condition_keys:
        missing = [claim for claim in missing if claim != "sub"]  # amr says whether, and where, somebody logged in
    if missing:
        yield Finding(f"{statement.path}.Condition", f"the token's {' and '.join(missing)} is not pinned")
    for tests in statement.condition.values():
        if not isinstance(tests, dict):
            continue
        for key, values in tests.items():
            texts = values if isinstance(values, list) else [values]
            if str(key).lower().endswith(":sub") and any(ANY_SUBJECT.match(str(text)) for text in texts):
                yield Finding(f"{statement.path}.Condition", "the token's sub may be anything")


def _services(statement: Statement) -> Iterator[Found]:
    for service in statement.by_kind("Service"):
        if service not in SILENT_SERVICES and not statement.pinned(*ON_BEHALF):
            yield Finding(f"{statement.path}.Condition", "a service may take the role on behalf of any account")


def _accounts(statement: Statement, facts: Facts) -> Iterator[Found]:
    own = facts.accounts.get("aws", ())
    for who in statement.by_kind("AWS"):
        parts = who.split(":")
        account = parts[ACCOUNT_FIELD] if len(parts) >= ARN_FIELDS else who
        if not account.isdigit() or account in own or statement.pinned("sts:externalid", "aws:principalorgid"):
            continue
        if own:
            yield Finding(f"{statement.path}.Condition", "another account may take the role without an ExternalId")
        else:
            yield Open(f"{statement.path}.Principal")


@resource_rule(
    "AWS-IAM-04",
    "Nobody has a password or a key that lasts.",
    HIGH,
    [
        "aws:iam/policyAttachment:PolicyAttachment",
        "aws:iam/user:User",
        "aws:iam/accessKey:AccessKey",
        "aws:iam/userLoginProfile:UserLoginProfile",
        "aws:iam/userPolicyAttachment:UserPolicyAttachment",
        "aws:iam/userPolicy:UserPolicy",
        "aws:iam/sshKey:SshKey",
        "aws:iam/serviceSpecificCredential:ServiceSpecificCredential",
        "aws:iam/signingCertificate:SigningCertificate",
    ],
    remediation="Use a role with OIDC or pod identity; attach policies to roles.",
)
def no_users(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Keys of users leak and live for ever; workloads have identities that the cloud renews."""
    if resource.kind == "PolicyAttachment":
        if resource.reader.has("users"):
            yield Finding("users", "are given a policy; attach it to roles")
        return
    yield Finding("", "users and their keys are not allowed; use a role that a workload or single sign-on takes")


demand(
    "AWS-IAM-05",
    "A role has a ceiling and short sessions.",
    MEDIUM,
    [ROLE],
    "Whatever is attached to a role later, the boundary holds.",
    in_production(named("permissionsBoundary", "the permissions boundary")),
    in_production(between("maxSessionDuration", 0, SESSION_SECONDS, default=3600)),
    remediation=f"Set permissions_boundary, and max_session_duration to at most {SESSION_SECONDS}.",
)
