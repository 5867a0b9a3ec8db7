"""The rules over other objects of a cluster in CEL: namespaces, network, rights, mesh, secrets, experiments."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from charter.admission.wanted import (
    BINDINGS,
    INGRESS,
    NAMESPACE,
    PODS,
    POLICY,
    ROLES,
    SCALER,
    SECRET,
    SERVICE,
    Wanted,
    cel,
)
from charter.cluster_kinds import GATEWAYS, NOBODY, PSS, SYSTEM_NAMESPACES, WARN
from charter.network import WORLD_NAMES
from charter.pods import AGENT_SPACES
from charter.rules.kubernetes_network import PORTS
from charter.rules.kubernetes_rights import DANGEROUS

VARIABLES: Final = {
    "labels": "object.metadata.?labels.orValue({})",
    "annotations": "object.metadata.?annotations.orValue({})",
    "space": "object.metadata.?namespace.orValue('default')",
    "agents": f"object.metadata.?name.orValue('') in {cel(AGENT_SPACES)} && variables.labels[?{cel(WARN)}].orValue('') "
    f"== 'restricted' && variables.labels[?{cel(PSS)}].orValue('') in ['baseline', 'privileged']",
    "rules": "object.?rules.orValue(null) == null ? [] : object.rules",
    "subjects": "object.?subjects.orValue(null) == null ? [] : object.subjects",
    "ranges": "object.?spec.?loadBalancerSourceRanges.orValue([])",
}


def _rules(side: str, peers: str) -> tuple[str, ...]:
    found = f"object.?spec.?{side}.orValue([])"
    peer = f"r.?{peers}.orValue([])"
    port = f"(type(p.port) == int ? p.port : {PORTS})"
    hosts = (
        f"({peer}.size() > 0 && {peer}.all(h, h.?ipBlock.?cidr.orValue('').endsWith('/32') || "
        "h.?ipBlock.?cidr.orValue('').endsWith('/128')))"
    )
    open_blocks = f"{peer}.filter(p, p.?ipBlock.hasValue() && p.ipBlock.?except.orValue([]).size() == 0)"
    return (
        f"{found}.all(r, r.?ports.orValue([]).size() > 0)",
        f"{found}.all(r, r.?ports.orValue([]).all(p, p.?port.hasValue()))",
        (
            f"{found}.all(r, {hosts} || r.?ports.orValue([]).all(p, !p.?port.hasValue() || "
            f"p.?endPort.orValue(0) - {port} < {PORTS - 1}))"
        ),
        f"{found}.all(r, {peer}.size() > 0)",
        (
            f"{found}.all(r, {peer}.all(p, p.?podSelector.hasValue() || p.?namespaceSelector.hasValue() || "
            "p.?ipBlock.hasValue()))"
        ),
        (
            f"{found}.all(r, [{open_blocks}.map(p, p.ipBlock.?cidr.orValue(''))].all(c, "
            f"!c.exists(w, {_world('w')}) && !{_covered('c')}))"
        ),
        (
            f"{found}.all(r, {peer}.all(p, p.?ipBlock.hasValue() || !p.?namespaceSelector.hasValue() || "
            "p.namespaceSelector.size() > 0 || p.?podSelector.orValue({}).size() > 0))"
        ),
    )


def _world(text: str) -> str:
    return f"({text}.endsWith('/0') || {text}.lowerAscii() in {cel(WORLD_NAMES)})"


def _covered(among: str) -> str:
    """Say that blocks of a list together are everybody, as far as `SPLIT` tells."""
    return f"({' || '.join(_parts(among, ip_network(whole)) for whole in ('0.0.0.0/0', '::/0'))})"


def _parts(among: str, block: IPv4Network | IPv6Network) -> str:
    here = f"{cel(str(block))} in {among}"
    if block.prefixlen == SPLIT:
        return here
    low, high = (_parts(among, half) for half in block.subnets())
    return f"({here} || ({low} && {high}))"


SPLIT: Final = 3
"""Length of the prefixes down to which the world in parts is looked for; the other doors add up any."""


def _named(among: str, wanted: set[str] | frozenset[str]) -> str:
    return f"{_listed(among)}.exists(v, v in {cel({*wanted, '*'})})"


def _reaches(on: frozenset[str]) -> str:
    """Say that a resource of a role is a dangerous one: by name, by a wildcard, or as a part of one."""
    parts = sorted(each.split("/") for each in on if "/" in each)
    inside = " || ".join(f"(s[0] in {cel(('*', whole))} && s[1] in {cel(('*', part))})" for whole, part in parts)
    below = f" || [v.split('/', 2)].exists(s, s.size() == 2 && s[1] != '' && ({inside}))" if parts else ""
    return f"{_listed('resources')}.exists(v, v == '*' || v in {cel(on)} || v.split('/')[0] in {cel(on)}{below})"


def _listed(name: str) -> str:
    """Return a list of a role's rule; the API server writes an empty one as null."""
    return f"(r.?{name}.orValue(null) == null ? [] : r.{name})"


WANTED: Final = (
    Wanted(
        rule="K8S-NS-01",
        kinds=(NAMESPACE,),
        expressions=(
            f"variables.labels[?{cel(PSS)}].orValue('') == 'restricted' || variables.agents",
            f"variables.labels[?{cel(PSS + '-version')}].orValue('').matches('^v1[.][0-9]+$')",
        ),
    ),
    Wanted(
        rule="K8S-NS-02",
        kinds=(*PODS, SERVICE, INGRESS, POLICY, SCALER, SECRET, ROLES[1], BINDINGS[1]),
        expressions=(
            (
                f"!(variables.space in {cel(SYSTEM_NAMESPACES)}) || "
                "(variables.space == 'kube-system' && object.kind == 'DaemonSet')"
            ),
        ),
    ),
    Wanted(rule="K8S-NET-01", kinds=(POLICY,), expressions=(*_rules("ingress", "from"), *_rules("egress", "to"))),
    Wanted(
        rule="K8S-NET-02",
        kinds=(SERVICE,),
        expressions=(
            "object.?spec.?type.orValue('ClusterIP') != 'NodePort'",
            "object.?spec.?externalIPs.orValue([]).size() == 0",
            "object.?spec.?type.orValue('ClusterIP') != 'LoadBalancer' || variables.space in " + cel(GATEWAYS),
            (
                "object.?spec.?type.orValue('ClusterIP') != 'LoadBalancer' || "
                "variables.annotations.exists(k, variables.annotations[k].lowerAscii() == 'internal' || "
                "(k.contains('internal') && !(variables.annotations[k].lowerAscii() in ['false', 'no', '0', '']))) || "
                "(variables.ranges.size() > 0 && !variables.ranges.exists(c, c.endsWith('/0')) && "
                f"!{_covered('variables.ranges')})"
            ),
        ),
    ),
    Wanted(
        rule="K8S-NET-03",
        kinds=(INGRESS,),
        expressions=(
            "!variables.annotations.exists(k, k.endsWith('-snippet'))",
            "!has(object.spec) || !has(object.spec.defaultBackend) || object.spec.?tls.orValue([]).size() > 0",
            "object.?spec.?rules.orValue([]).all(r, r.?host.orValue('') != '' && !r.host.contains('*'))",
            (
                "object.?spec.?rules.orValue([]).all(r, r.?host.orValue('') == '' || r.host.contains('*') || "
                "object.spec.?tls.orValue([]).exists(t, t.?hosts.orValue([]).exists(h, h == r.host || "
                "(h.startsWith('*.') && r.host.contains('.') && r.host.split('.', 2)[1] == h.substring(2)))))"
            ),
        ),
        beside="whether the Service behind a path exists stands in other objects",
        covers=r"(host|annotations|defaultBackend)$",
    ),
    Wanted(
        rule="K8S-AVL-02",
        kinds=(SCALER,),
        expressions=(
            (
                "object.?spec.?minReplicas.orValue(1) >= 2 && object.?spec.?maxReplicas.orValue(0) >= "
                "object.?spec.?minReplicas.orValue(1)"
            ),
        ),
        beside="what it scales stands in other objects",
        covers=r"^spec\.minReplicas$",
    ),
    Wanted(
        rule="K8S-RBC-01",
        kinds=BINDINGS,
        expressions=(
            "object.?roleRef.?name.orValue('') != 'cluster-admin'",
            f"variables.subjects.all(s, !(s.?name.orValue('') in {cel(NOBODY)}))",
        ),
    ),
    Wanted(
        rule="K8S-RBC-02",
        kinds=ROLES,
        expressions=(
            *(
                f"variables.rules.all(r, !{_listed(name)}.exists(v, v == '*'))"
                for name in ("verbs", "resources", "apiGroups", "nonResourceURLs")
            ),
            f"variables.rules.all(r, !{_listed('resources')}.exists(v, v.startsWith('*/')))",
            (
                "object.?aggregationRule.?clusterRoleSelectors.orValue([]).all(s, "
                "s.?matchLabels.orValue({}).size() > 0 || s.?matchExpressions.orValue([]).size() > 0)"
            ),
        ),
    ),
    Wanted(
        rule="K8S-RBC-03",
        kinds=ROLES,
        expressions=(
            *(f"variables.rules.all(r, !({_named('verbs', verbs)} && {_reaches(on)}))" for verbs, on in DANGEROUS),
            (
                f"object.kind != 'ClusterRole' || variables.rules.all(r, {_listed('resourceNames')}.size() > 0 || !("
                f"{_named('verbs', {'get', 'list', 'watch'})} && {_named('resources', {'secrets'})}))"
            ),
        ),
    ),
)
