"""Rules over Cloudflare: how the world reaches the platform."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network

from charter.demands import off, one_of
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import (
    CRITICAL,
    HIGH,
    MEDIUM,
    Finding,
    Found,
    Open,
    Resource,
    apart,
    located,
    resource_rule,
    stack_rule,
)
from charter.secrets import secret_name
from charter.values import UNKNOWN, Reader
from charter.words import shown

ZONE = "cloudflare:index/zone:Zone"
SETTING = "cloudflare:index/zoneSetting:ZoneSetting"
OVERRIDE = "cloudflare:index/zoneSettingsOverride:ZoneSettingsOverride"
DNSSEC = "cloudflare:index/zoneDnssec:ZoneDnssec"
RECORD = "cloudflare:index/dnsRecord:DnsRecord"
BALANCER = "cloudflare:index/loadBalancer:LoadBalancer"
POOL = "cloudflare:index/loadBalancerPool:LoadBalancerPool"
MONITOR = "cloudflare:index/loadBalancerMonitor:LoadBalancerMonitor"
LOGPUSH = "cloudflare:index/logpushJob:LogpushJob"
YEAR_SECONDS = 31_536_000
INNER = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "100.64.0.0/10",
            "fc00::/7",
            "fe80::/10",
            "::1/128",
        ),
    )
)
DATASETS = ("http_requests", "firewall_events")


def zones(graph: Graph, kinds: tuple[str, ...]) -> dict[str, list[Resource]]:
    """Return the resources of some kinds by the zone they are of: its URN, or its id where it is a literal."""
    found: dict[str, list[Resource]] = {zone.urn: [] for zone in graph.of(ZONE)}
    for resource in (one for kind in kinds for one in graph.of(kind)):
        mine = [zone.urn for zone in graph.of(ZONE) if graph.refers(resource, zone, "zoneId")]
        literal = resource.props.get("zoneId")
        key = mine[0] if mine else str(literal) if isinstance(literal, str) else ""
        if key:
            found.setdefault(key, []).append(resource)
    return found


def place_of(graph: Graph, zone: str, members: list[Resource]) -> str:
    """Return the URN at which something missing in a zone is told."""
    return zone if zone in graph.by_urn else members[0].urn if members else ""


@stack_rule(
    "CF-TLS-01",
    "Every zone speaks TLS 1.2 or later, to the visitor and to the origin.",
    CRITICAL,
    [ZONE, SETTING, OVERRIDE],
    remediation="Set ssl strict, min_tls_version 1.2, tls_1_3 on, always_use_https on, and HSTS for a year.",
)
def tls(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Five settings per zone; a later one of the same name wins."""
    wanted = {
        "ssl": lambda value: value in ("strict", "origin_pull"),
        "min_tls_version": lambda value: str(value) in ("1.2", "1.3"),
        "tls_1_3": lambda value: value in ("on", "zrt"),
        "always_use_https": lambda value: value == "on",
        "security_header": _hsts,
    }
    for zone, members in zones(graph, (SETTING, OVERRIDE)).items():
        settings = {str(each.props.get("settingId")): each for each in members if each.type == SETTING}
        overrides = [each for each in members if each.type == OVERRIDE]
        for name, right in wanted.items():
            setting = settings.get(name)
            if setting is None and any(_overridden(each, name, right) for each in overrides):
                continue
            if setting is None and any(each.props.get("settingId") is UNKNOWN for each in members):
                yield Open("settingId", place_of(graph, zone, members))
                continue
            if setting is None:
                yield Finding("", f"no setting {name}", place_of(graph, zone, members))
                continue
            value = setting.props.get("value")
            if value is UNKNOWN:
                yield Open("value", setting.urn)
            elif not right(value):
                yield Finding("value", f"{name} is {shown(value)}; it is too weak", setting.urn)


def _overridden(override: Resource, name: str, right: Callable[[object], bool]) -> bool:
    """Say whether the older kind, which holds all settings of a zone in one map, has a setting right."""
    held = override.reader.inside("settings")
    words = name.split("_")
    spelt = words[0] + "".join(word.capitalize() for word in words[1:])
    return right(
        next((held.read(key) for key in (name, spelt, name.replace("_", "")) if held.raw(key) is not None), None)
    )


def _hsts(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    header = Reader(value).inside("strictTransportSecurity")
    header = header if header.props else Reader(value).inside("strict_transport_security")
    header = header if header.props else Reader(value)  # the older kind holds it without that layer
    return header.flag("enabled") and (header.number("maxAge") or header.number("max_age")) >= YEAR_SECONDS


@stack_rule(
    "CF-DNS-01",
    "Names are signed, and only named authorities make certificates for them.",
    HIGH,
    [ZONE, DNSSEC, RECORD],
    remediation="Add ZoneDnssec with status active and CAA records.",
)
def signed(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Both per zone."""
    for zone, members in zones(graph, (DNSSEC, RECORD)).items():
        where = place_of(graph, zone, members)
        states = [each.props.get("status", "active") for each in members if each.type == DNSSEC]
        if UNKNOWN in states:
            yield Open("status", where)
        elif "active" not in states:
            yield Finding("", "DNSSEC is not active", where)
        kinds = [each.props.get("type") for each in members if each.type == RECORD]
        if "CAA" not in kinds and UNKNOWN in kinds:
            yield Open("type", where)
        elif "CAA" not in kinds:
            yield Finding("", "no CAA record", where)


@stack_rule(
    "CF-DNS-02",
    "Names lead through the edge, to something that exists.",
    HIGH,
    [RECORD],
    remediation="Set proxied; point to a resource of this stack; no private addresses.",
)
def records(graph: Graph, facts: Facts) -> Iterator[Found]:
    """A name that points to something gone is taken over by whoever takes the place."""
    for record in graph.of(RECORD):
        kind = str(record.props.get("type")).upper()
        if kind not in ("A", "AAAA", "CNAME"):
            continue
        validation = str(record.props.get("name", "")).startswith("_")
        if record.props.get("proxied") is UNKNOWN:
            yield Open("proxied", record.urn)
        elif not record.reader.flag("proxied") and not validation:
            yield Finding("proxied", "is off: the origin answers the internet itself", record.urn)
        content = record.props.get("content", record.props.get("value"))
        if kind == "CNAME":
            allowed = facts.evidence.get("hosts", ())
            known = graph.feeds(record, "content") or content in allowed or _own_host(graph, content)
            if not known and not validation and content is not UNKNOWN:
                yield Finding("content", "is no resource of this stack: it may dangle", record.urn)
        elif _private(content):
            yield Finding("content", "is a private address", record.urn)


def _own_host(graph: Graph, content: object) -> bool:
    """Say whether a name is one that this stack's records or sites have."""
    names = {str(each.props.get("name")) for each in graph.of(RECORD)}
    names |= {f"{each.props.get('name')}.pages.dev" for each in graph.of("cloudflare:index/pagesProject:PagesProject")}
    return isinstance(content, str) and content in names


def _private(content: object) -> bool:
    """Say whether an address leads to nobody outside; those that documentation uses are somebody's."""
    try:
        address = ip_address(str(content))
    except ValueError:
        return False
    return any(address in each for each in INNER)


@stack_rule(
    "CF-LB-01",
    "The platform answers when one cloud does not.",
    HIGH,
    [BALANCER, POOL, MONITOR],
    remediation="Use two pools on two clouds or more, a fallback pool, https monitors that check certificates.",
)
def balancer(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Pools are told apart by the cloud of what feeds their origins, or by the label `cloud` in their names."""
    for one in graph.of(BALANCER):
        pools = one.props.get("defaultPools")
        feeding = [each for each in graph.feeds(one, "defaultPools") if each.type == POOL]
        count = len(pools) if isinstance(pools, list) else len(feeding)
        if count < 2:  # noqa: PLR2004  the rule's own number
            yield Finding("defaultPools", f"holds {count}; at least 2 pools are needed", one.urn)
        clouds = {cloud for pool in feeding for cloud in _clouds(graph, pool)}
        if feeding and len(clouds) < 2:  # noqa: PLR2004
            yield Finding("defaultPools", "the pools do not stand on two clouds", one.urn)
        if not one.reader.has("fallbackPool"):
            yield Finding("fallbackPool", "is absent", one.urn)
        for pool in feeding:
            if not pool.reader.has("monitor"):
                yield Finding("monitor", "is absent: a pool that is down would go on being asked", pool.urn)
    for monitor in graph.of(MONITOR):
        for found in apart(
            one_of("type", ("https",))(monitor.reader, facts), off("allowInsecure")(monitor.reader, facts)
        ):
            yield located(found, monitor.urn)


def _clouds(graph: Graph, pool: Resource) -> set[str]:
    clouds = {"aws", "gcp", "azure"}
    found = {each.package.removesuffix("-native") for each in graph.feeds(pool, "origins")} & clouds
    return found or {cloud for cloud in clouds if cloud in pool.name.split("-")}


@resource_rule(
    "CF-PAG-01",
    "A site's secrets are secret, and it is built from the guarded branch.",
    MEDIUM,
    ["cloudflare:index/pagesProject:PagesProject"],
    remediation="Give secret variables the type secret_text; set production_branch main.",
)
def pages(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Variables whose names look like secrets must have the type of a secret."""
    reader = resource.reader
    if reader.text("productionBranch") not in ("main", "master"):
        yield Finding("productionBranch", "is no guarded branch")
    for place in ("production", "preview"):
        variables = reader.map(f"deploymentConfigs.{place}.envVars")
        for name, variable in variables.items():
            kind = variable.get("type") if isinstance(variable, dict) else UNKNOWN
            if secret_name(name) and kind is UNKNOWN:
                yield Open(f"deploymentConfigs.{place}.envVars.{name}.type")
            elif secret_name(name) and kind != "secret_text":
                yield Finding(f"deploymentConfigs.{place}.envVars.{name}", "looks secret; its type must be secret_text")
        older = f"deploymentConfigs.{place}.environmentVariables"  # the fifth major version kept secrets apart
        for name in filter(secret_name, reader.map(older)):
            yield Finding(f"{older}.{name}", "looks secret; it belongs among the secrets")


@stack_rule(
    "CF-AUD-01",
    "Requests and what the firewall did are kept.",
    MEDIUM,
    [ZONE, LOGPUSH],
    remediation=f"Add enabled LogpushJobs for {' and '.join(DATASETS)}.",
)
def logpush(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """One enabled job per data set and zone."""
    for zone, members in zones(graph, (LOGPUSH,)).items():
        states: dict[str, list[object]] = defaultdict(list)
        for job in members:
            enabled = job.reader.raw("enabled")
            states[str(job.props.get("dataset"))].append(
                str(enabled).lower() == "true" if enabled is not UNKNOWN else enabled
            )
        for name in DATASETS:
            if True in states[name]:
                continue
            if UNKNOWN in states[name] or any(job.props.get("dataset") is UNKNOWN for job in members):
                yield Open("enabled", place_of(graph, zone, members))
            else:
                yield Finding("", f"no enabled LogpushJob for {name}", place_of(graph, zone, members))
