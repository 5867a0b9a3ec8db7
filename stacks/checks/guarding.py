"""Guarding and watching: zones for names, rules that can be read, addresses that are asked, budgets of namespaces."""

from __future__ import annotations

from collections.abc import Iterator

from stacks.checks.tenants import check_tenant
from stacks.problems import Problem
from stacks.services import rendered
from stacks.tree import Path, Tree

LONGEST_DAYS = 3
"""The longest window over which error budgets are told."""


def check_guarding(tree: Tree) -> Iterator[Problem]:
    """What can be said of these services from the file alone."""
    yield from _zones(tree)
    yield from _rules(tree)
    yield from _budgets(tree)
    yield from _kept(tree)
    yield from _windows(tree)


def _on(tree: Tree, name: str) -> bool:
    return isinstance(tree.at("services", name), dict)


def _zones(tree: Tree) -> Iterator[Problem]:
    path: Path = ("services", "dns")
    if not _on(tree, "dns") or path in tree.bad:
        return
    provider, zones = tree.text(*path, "provider") or "cloud", tree.mapping(*path, "zones")
    if provider == "cloudflare":
        if zones:
            what = "are for zones of the clouds; the provider is cloudflare"
            yield Problem(path=(*path, "zones"), what=what, fix="remove them, or write `provider: cloud`")
        if not _on(tree, "external_secrets"):
            what = "needs external_secrets: the token of Cloudflare is read from the secret manager"
            yield Problem(path=path, what=what, fix="add `external_secrets: {}` to services")
        return
    for cloud in tree.clouds():
        if cloud not in zones and (*path, "zones") not in tree.bad:
            what = f"has no zone in {cloud}, where the stack has clusters"
            yield Problem(path=(*path, "zones"), what=what, fix=f"add `{cloud}: ...`, or write `provider: cloudflare`")
    for named, zone in zones.items():
        if named == "azure" and isinstance(zone, str) and not _is_azure(zone):
            what = "is no resource id of a zone of Azure"
            allowed = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/dnsZones/NAME"
            fix = "copy it from the zone's page"
            yield Problem(path=(*path, "zones", named), what=what, found=zone, allowed=allowed, fix=fix)


def _is_azure(zone: str) -> bool:
    parts = zone.strip("/").split("/")
    words = (parts[0].lower(), parts[2].lower(), parts[6].lower()) if len(parts) == 8 else ()  # noqa: PLR2004
    return words == ("subscriptions", "resourcegroups", "dnszones")


def _rules(tree: Tree) -> Iterator[Problem]:
    for service in rendered.FILES:
        path: Path = ("services", service)
        if not _on(tree, service) or (*path, "rules") in tree.bad:
            continue
        file = rendered.file_of(service, tree.text(*path, "rules"))
        try:
            rendered.read(service, file)
        except ValueError as problem:
            door = "gatekeeper" if service == "gatekeeper" else "cel"
            fix = f"render them: `ecosystem law render --door {door} --out {rendered.FOLDER}`"
            yield Problem(path=(*path, "rules"), what="cannot be used", found=str(problem), fix=fix)


def _budgets(tree: Tree) -> Iterator[Problem]:
    for service in ("cost", "kubecost"):
        path: Path = ("services", service, "budgets")
        for name in tree.mapping(*path):
            yield from check_tenant(tree, (*path, name), name, "name a tenant namespace")
    accepted: Path = ("services", "kubecost", "licence_accepted")
    if _on(tree, "kubecost") and accepted not in tree.bad and not tree.flag(*accepted):
        what = "is missing: Kubecost's images come under IBM's terms, and its free edition is limited"
        fix = "read them and write `licence_accepted: true`, or use OpenCost: `cost: {}`"
        yield Problem(path=accepted, what=what, fix=fix)


def _kept(tree: Tree) -> Iterator[Problem]:
    """Logs on volumes of the cluster are backed up, or the law (CH-24) refuses them."""
    path: Path = ("services", "elk")
    if _on(tree, "elk") and not _on(tree, "backup") and ("services", "backup") not in tree.bad:
        what = "keeps logs on volumes of the cluster, which nothing backs up"
        yield Problem(path=path, what=what, fix="add `backup` to services, or keep logs with `logs: {}`")


def _windows(tree: Tree) -> Iterator[Problem]:
    path: Path = ("services", "monitoring", "retention_days")
    kept = tree.whole(*path)
    if kept is not None and path not in tree.bad and kept < LONGEST_DAYS and _on(tree, "mesh"):
        what = f"is shorter than the longest window of the error budget, {LONGEST_DAYS} days"
        yield Problem(path=path, what=what, found=str(kept), fix=f"keep figures for {LONGEST_DAYS} days at least")
