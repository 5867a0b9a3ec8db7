"""Rules over AWS identities and keys: who may do what, and who may become whom."""

from __future__ import annotations

from collections.abc import Iterator

from charter.documents import principals, several, statements
from charter.facts import Facts
from charter.rule import Finding, Resource, Severity, resource_rule

WILDCARD = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
)
NARROW = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}'
)
TRUST_ALL = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}'
TRUST_NODES = (
    '{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
)
KEY_OPEN = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:Decrypt","Resource":"*"}]}'
KEY_OWN = (
    '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},'
    '"Action":"kms:DescribeKey","Resource":"*"}]}'
)
OIDC_CLAIMS = ("sub", "aud")


@resource_rule(
    "AWS-IAM-01",
    "No policy allows everything on everything.",
    Severity.CRITICAL,
    ["aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy"],
    controls=("CIS AWS 2.14", "NIST AC-6", "PCI 7.2.1", "SOC2 CC6.3", "ISO A.8.2", "GDPR 25", "HIPAA 308(a)(3)"),
    remediation="Name the actions and the resources.",
    good=({"policy": NARROW},),
    bad=({"policy": WILDCARD},),
)
def no_wildcards(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """An Allow with `*` or `service:*` on `*`; a condition narrows it and is judged elsewhere."""
    for path, statement in statements(resource.reader.raw("policy"), "policy"):
        if statement.get("Effect") != "Allow" or "*" not in several(statement.get("Resource")):
            continue
        for action in several(statement.get("Action")):
            if (action == "*" or str(action).endswith(":*")) and not statement.get("Condition"):
                yield Finding(f"{path}.Action", f"{action} is allowed on every resource")


@resource_rule(
    "AWS-IAM-03",
    "A role says exactly who may take it.",
    Severity.CRITICAL,
    ["aws:iam/role:Role"],
    controls=("NIST AC-3", "ISO A.5.15"),
    remediation="Name the principal; pin sub and aud for OIDC; ask for an ExternalId from another account.",
    good=({"assumeRolePolicy": TRUST_NODES},),
    bad=({"assumeRolePolicy": TRUST_ALL},),
)
def trust(resource: Resource, facts: Facts) -> Iterator[Finding]:
    """Judge who may assume the role, by the kind of principal."""
    own = set(facts.accounts.get("aws", ()))
    for path, statement in statements(resource.reader.raw("assumeRolePolicy"), "assumeRolePolicy"):
        if statement.get("Effect") != "Allow":
            continue
        keys = {key for tests in (statement.get("Condition") or {}).values() for key in tests}
        if "*" in principals(statement):
            yield Finding(f"{path}.Principal", "anybody may take this role")
        principal = statement.get("Principal")
        if not isinstance(principal, dict):
            continue
        if principal.get("Federated"):
            missing = [claim for claim in OIDC_CLAIMS if not any(key.endswith(f":{claim}") for key in keys)]
            if missing and "sts:AssumeRoleWithWebIdentity" in several(statement.get("Action")):
                yield Finding(f"{path}.Condition", f"the token's {' and '.join(missing)} is not pinned")
        for who in several(principal.get("AWS")):
            account = str(who).split(":")[4] if str(who).count(":") >= 5 else str(who)  # noqa: PLR2004  an ARN's form
            if account.isdigit() and own and account not in own and "sts:ExternalId" not in keys:
                yield Finding(f"{path}.Condition", f"account {account} may take the role without an ExternalId")


@resource_rule(
    "AWS-KMS-02",
    "A key names who may use it.",
    Severity.CRITICAL,
    ["aws:kms/key:Key"],
    controls=("CIS AWS 2.21", "ISO A.8.1", "NIST AC-5"),
    remediation="Name the principals, or bind `*` by a condition such as kms:CallerAccount.",
    good=({"policy": KEY_OWN},),
    bad=({"policy": KEY_OPEN},),
)
def key_policy(resource: Resource, _facts: Facts) -> Iterator[Finding]:
    """`*` without a condition opens the key to every account of AWS."""
    for path, statement in statements(resource.reader.raw("policy"), "policy"):
        if statement.get("Effect") == "Allow" and "*" in principals(statement) and not statement.get("Condition"):
            yield Finding(f"{path}.Principal", "every account of AWS may use the key")
