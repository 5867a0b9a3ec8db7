"""Whom the mesh lets talk to whom: authorization policies over what network policies let through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from charter.pods import namespace_of
from charter.rule import Resource
from charter.selectors import selects
from charter.values import Reader

AUTHORIZATION: Final = "kubernetes:security.istio.io/v1:AuthorizationPolicy"
ROOT: Final = "istio-system"
"""The namespace whose policies hold for the whole mesh."""


@dataclass(frozen=True)
class Caller:
    """Who calls, as the mesh sees it."""

    namespace: str
    account: str

    @property
    def principal(self) -> str:
        """Return the identity in the mesh's certificates."""
        return f"cluster.local/ns/{self.namespace}/sa/{self.account}"


def meshed(labels: Mapping[str, Any]) -> bool:
    """Say whether a namespace's labels put its pods into the mesh."""
    return (
        labels.get("istio-injection") == "enabled"
        or bool(labels.get("istio.io/rev"))
        or labels.get("istio.io/dataplane-mode") == "ambient"
    )


def authorized(policies: list[Resource], caller: Caller, namespace: str, labels: Mapping[str, Any]) -> bool:
    """Say whether the mesh lets a caller reach pods with labels in a namespace: denials first, then permissions.

    Raises Undetermined when a policy that counts is not known.
    """
    mine = [each for each in policies if _about(each, namespace, labels)]
    denials = [each for each in mine if each.reader.text("spec.action", "ALLOW") == "DENY"]
    permissions = [each for each in mine if each.reader.text("spec.action", "ALLOW") == "ALLOW"]
    if any(_always(rule, caller) for each in denials for rule in each.reader.each("spec.rules")):
        return False
    allowed = (rule for each in permissions for rule in each.reader.each("spec.rules"))
    return not permissions or any(_from(rule, caller) for rule in allowed)


def _about(policy: Resource, namespace: str, labels: Mapping[str, Any]) -> bool:
    if namespace_of(policy) not in (namespace, ROOT):
        return False
    selector = policy.reader.raw("spec.selector")
    return selector is None or selects(selector, labels, "spec.selector")


def _always(rule: Reader, caller: Caller) -> bool:
    """Say whether a denial holds whatever is asked for."""
    return not rule.has("to") and not rule.has("when") and _from(rule, caller)


def _from(rule: Reader, caller: Caller) -> bool:
    sources = [each.inside("source") for each in rule.each("from")]
    return not sources or any(_fits(source, caller) for source in sources)


def _fits(source: Reader, caller: Caller) -> bool:
    """Say whether a caller may be the source; addresses and tokens may be anybody's."""
    names = source.texts("principals")
    accounts = source.texts("serviceAccounts")
    if names and not any(_matches(pattern, caller.principal) for pattern in names):
        return False
    if accounts and not {caller.account, f"{caller.namespace}/{caller.account}"} & set(accounts):
        return False
    spaces = source.texts("namespaces")
    if spaces and not any(_matches(pattern, caller.namespace) for pattern in spaces):
        return False
    refused = source.texts("notPrincipals"), source.texts("notNamespaces")
    return not any(_matches(pattern, caller.principal) for pattern in refused[0]) and not any(
        _matches(pattern, caller.namespace) for pattern in refused[1]
    )


def _matches(pattern: str, value: str) -> bool:
    """Match as the mesh does: exactly, by a beginning, or by an end."""
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value.endswith(pattern[1:]) if pattern.startswith("*") else value == pattern
