"""Rules over namespaces, networks, rights, workloads' availability and what is installed on a cluster."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from charter.facts import Facts
from charter.graph import Graph
from charter.network import cover_world, is_world
from charter.pods import ANY_KIND, LONG_RUNNING, holds_pods, name_of, namespace_of, pods
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
from charter.values import UNKNOWN, Reader, Undetermined, walk
from charter.words import shown

NAMESPACE = "kubernetes:core/v1:Namespace"
POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
QUOTA = "kubernetes:core/v1:ResourceQuota"
LIMITS = "kubernetes:core/v1:LimitRange"
SERVICE = "kubernetes:core/v1:Service"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
HPA = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
PDB = "kubernetes:policy/v1:PodDisruptionBudget"
RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
BINDINGS = (f"{RBAC}ClusterRoleBinding", f"{RBAC}RoleBinding")
ROLES = (f"{RBAC}ClusterRole", f"{RBAC}Role")
MONITORS = "kubernetes:monitoring.coreos.com/v1:*"
PSS = "pod-security.kubernetes.io/enforce"
SYSTEM_NAMESPACES = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})
CLUSTER_WIDE = frozenset(
    [
        "Namespace",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "StorageClass",
        "PersistentVolume",
        "PriorityClass",
        "IngressClass",
        "RuntimeClass",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "APIService",
        "Node",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "CSIDriver",
        "GatewayClass",
        "ClusterSecretStore",
        "ClusterIssuer",
        "ClusterPolicy",
        "VolumeSnapshotClass",
    ]
)
GATEWAYS = frozenset({"istio-ingress", "istio-system", "gateway", "ingress", "edge"})
DNS_PORT = 53
NOBODY = (
    "system:anonymous",
    "system:unauthenticated",
    "system:authenticated",
    "system:masters",
)
UNRESOLVED = {"verify": "chart", "description": "rendered"}
"""What the description of a Release says of a digest, by the path at which its absence is found."""
EXACT_VERSION = re.compile(r"^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$")

NOWHERE = "?"
Key = tuple[str, str]
"""A namespace of a cluster: provider URN and name."""


def by_namespace(graph: Graph, *kinds: str) -> dict[Key, list[Resource]]:
    """Return objects by the namespace they live in; those whose namespace is not known stand under NOWHERE."""
    found: dict[Key, list[Resource]] = defaultdict(list)
    for resource in graph.of(*kinds):
        try:
            found[resource.provider_urn, namespace_of(resource)].append(resource)
        except Undetermined:
            found[resource.provider_urn, NOWHERE].append(resource)
    return found


def ours(graph: Graph) -> dict[Key, Resource]:
    """Return the namespaces that the stack makes."""
    return {
        (each.provider_urn, name_of(each)): each
        for each in graph.of(NAMESPACE)
        if each.reader.raw("metadata.name") is not UNKNOWN
    }


def selects(selector: Any, labels: Any) -> bool:
    """Say whether a label selector's matchLabels hold for labels; an empty selector selects everything."""
    if selector is UNKNOWN or labels is UNKNOWN:
        raise Undetermined("spec.selector")
    wanted = selector.get("matchLabels") if isinstance(selector, dict) else None
    if isinstance(selector, dict) and selector.get("matchExpressions"):
        return False
    held = labels if isinstance(labels, dict) else {}
    if wanted is UNKNOWN or UNKNOWN in held.values() or (isinstance(wanted, dict) and UNKNOWN in wanted.values()):
        raise Undetermined("spec.selector.matchLabels")
    return all(held.get(key) == value for key, value in wanted.items()) if isinstance(wanted, dict) else True


@resource_rule(
    "K8S-NS-01",
    "A namespace enforces the restricted Pod Security Standard, at a version that is named.",
    HIGH,
    [NAMESPACE],
    remediation=f"Set the labels {PSS}=restricted and {PSS}-version=v1.34 (the cluster's).",
)
def pod_security(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Without a version, an upgrade of the cluster changes what is allowed."""
    labels = resource.reader.map("metadata.labels")
    for key, right in ((PSS, lambda text: text == "restricted"), (f"{PSS}-version", _version)):
        value = labels.get(key)
        if value is UNKNOWN:
            yield Open(f"metadata.labels.{key}")
        elif not right(value):
            yield Finding(f"metadata.labels.{key}", f"is {shown(value)}; it must be {_told(key)}")


def _version(text: Any) -> bool:
    return bool(re.fullmatch(r"v1\.\d+", str(text)))


def _told(key: str) -> str:
    return "v1.MINOR" if key.endswith("version") else "restricted"


@resource_rule(
    "K8S-NS-02",
    "Nothing of ours lives in default or in the system's namespaces.",
    MEDIUM,
    ANY_KIND,
    remediation="Give metadata.namespace a namespace of your own.",
)
def not_in_default(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Node agents may live in kube-system; objects of the cluster itself have no namespace."""
    if resource.kind in CLUSTER_WIDE or resource.kind.endswith(("List", "Patch")) or "helm.sh" in resource.type:
        return
    if resource.type.startswith("kubernetes:rbac") and resource.kind.startswith("Cluster"):
        return
    if "metadata" not in resource.props and not pods(resource):
        return
    namespace = namespace_of(resource)
    if namespace == "kube-system" and resource.kind == "DaemonSet":
        return
    custom = not resource.type.startswith(("kubernetes:core", "kubernetes:apps", "kubernetes:batch", "kubernetes:net"))
    if custom and not resource.reader.has("metadata.namespace"):
        return  # a custom resource without a namespace may be cluster-wide; its definition is not here
    if namespace in SYSTEM_NAMESPACES:
        yield Finding("metadata.namespace", f"is {namespace}")


@stack_rule(
    "K8S-NS-03",
    "A namespace is closed both ways, except for asking names.",
    HIGH,
    [NAMESPACE, POLICY],
    remediation="Add a NetworkPolicy with podSelector {} and both policyTypes, and one that allows DNS (53).",
)
def default_deny(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Deny first; without DNS nothing would work and somebody would open everything."""
    policies = by_namespace(graph, POLICY)
    for key, namespace in ours(graph).items():
        denied: set[str] = set()
        names = False
        unclear = "metadata.namespace" if policies.get((key[0], NOWHERE)) else ""
        for policy in policies.get(key, []):
            try:
                denied |= _denies(policy.reader)
                names = names or _allows_dns(policy.reader)
            except Undetermined as unknown:
                unclear = unknown.path
        missing = [kind for kind in ("Ingress", "Egress") if kind not in denied]
        if (missing or not names) and unclear:
            yield Open(unclear, namespace.urn)
            continue
        if missing:
            yield Finding("", f"no default-deny NetworkPolicy for {' and '.join(missing)}", namespace.urn)
        if not names:
            yield Finding("", "no NetworkPolicy allows DNS", namespace.urn)


def _denies(policy: Reader) -> set[str]:
    if policy.read("spec.podSelector", None) not in ({}, {"matchLabels": {}}) and policy.has("spec.podSelector"):
        return set()
    kinds = set(policy.texts("spec.policyTypes")) or {"Ingress"}
    return {kind for kind in kinds if not policy.read(f"spec.{str(kind).lower()}", [])}


def _allows_dns(policy: Reader) -> bool:
    for rule in policy.each("spec.egress"):
        ports = list(rule.each("ports"))
        kinds = {
            port.text("protocol", "TCP") for port in ports if port.read("port") in (DNS_PORT, "53", "dns", "dns-tcp")
        }
        if "UDP" in kinds and "TCP" in kinds:
            return True
    return False


@stack_rule(
    "K8S-NS-04",
    "No namespace can take the whole cluster.",
    MEDIUM,
    [NAMESPACE, QUOTA, LIMITS],
    remediation="Add one ResourceQuota and one LimitRange to the namespace.",
)
def bounded(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """One of each."""
    for kind in (QUOTA, LIMITS):
        held = by_namespace(graph, kind)
        for key, namespace in ours(graph).items():
            if not held.get(key) and held.get((key[0], NOWHERE)):
                yield Open("metadata.namespace", namespace.urn)
            elif not held.get(key):
                yield Finding("", f"no {kind.rpartition(':')[2]} in this namespace", namespace.urn)


@resource_rule(
    "K8S-NET-01",
    "A network policy names who, where and which port.",
    HIGH,
    [POLICY],
    remediation="Give each peer a selector or a block with exceptions, and each rule its ports.",
)
def exact_policy(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """An empty peer is everybody in every namespace; a rule without ports is every port."""
    for side, peers in (("ingress", "from"), ("egress", "to")):
        for rule in resource.reader.each(f"spec.{side}"):
            yield from apart(_ports(rule, side), _peers(rule, peers))


def _ports(rule: Reader, side: str) -> Iterator[Found]:
    if rule.read("ports", []) == []:
        yield Finding(rule.at("ports"), f"are missing: the {side} rule opens every port")


def _peers(rule: Reader, name: str) -> Iterator[Found]:
    if rule.read(name, []) == []:
        yield Finding(rule.at(name), "is missing: the rule is for everybody")
    for peer in rule.each(name):
        if not any(peer.raw(key) is not None for key in ("podSelector", "namespaceSelector", "ipBlock")):
            yield Finding(peer.path, "is an empty peer: everybody")
        elif peer.raw("ipBlock") is not None:
            block = peer.inside("ipBlock")
            if is_world(block.read("cidr")) and not block.read("except", []):
                yield Finding(block.at("cidr"), "is everybody, without exception")
        elif peer.read("namespaceSelector") == {} and not peer.read("podSelector", {}):
            yield Finding(peer.at("namespaceSelector"), "selects every pod of every namespace")


@resource_rule(
    "K8S-NET-02",
    "The outside comes in at the gateway only.",
    HIGH,
    [SERVICE],
    remediation="Use ClusterIP; a LoadBalancer only in the gateway's namespace, with loadBalancerSourceRanges.",
)
def services(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """NodePort and externalIPs go around every other control."""
    reader = resource.reader
    kind = reader.text("spec.type", "ClusterIP")
    if kind == "NodePort":
        yield Finding("spec.type", "is NodePort")
    if reader.has("spec.externalIPs"):
        yield Finding("spec.externalIPs", "takes over addresses")
    if kind == "LoadBalancer":
        internal = any("internal" in key for key in reader.map("metadata.annotations"))
        if namespace_of(resource) not in GATEWAYS:
            yield Finding("spec.type", "is LoadBalancer outside the gateway's namespace")
        ranges = reader.values("spec.loadBalancerSourceRanges")
        if not internal and (not ranges or cover_world(ranges)):
            yield Finding("spec.loadBalancerSourceRanges", "let in the whole internet")


@stack_rule(
    "K8S-NET-03",
    "An ingress speaks TLS, for named hosts, to services that exist.",
    HIGH,
    [INGRESS, SERVICE],
    remediation="List every host under tls; no wildcard, no snippets; a Service of this stack behind it.",
)
def ingresses(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Snippets are code that whoever may write an Ingress runs in the controller."""
    services_of = by_namespace(graph, SERVICE)
    for ingress in graph.of(INGRESS):
        for found in apart(_ingress(ingress, services_of)):
            yield located(found, ingress.urn)


def _ingress(ingress: Resource, services_of: dict[Key, list[Resource]]) -> Iterator[Found]:
    reader = ingress.reader
    covered = {host for entry in reader.each("spec.tls") for host in entry.texts("hosts")}
    for key in reader.map("metadata.annotations"):
        if key.endswith("-snippet"):
            yield Finding("metadata.annotations", "hold a snippet")
    for each in (one for key, found in services_of.items() if key[0] == ingress.provider_urn for one in found):
        if UNKNOWN in (each.reader.raw("metadata.namespace"), each.reader.raw("metadata.name")):
            raise Undetermined("metadata.name")
    known = {name_of(each) for each in services_of.get((ingress.provider_urn, namespace_of(ingress)), [])}
    for rule in reader.each("spec.rules"):
        host = rule.text("host")
        if not host or "*" in host:
            yield Finding(rule.at("host"), "is missing or a wildcard")
        elif host not in covered:
            yield Finding(rule.at("host"), "has no TLS")
        for path in rule.each("http.paths"):
            if path.text("backend.service.name") not in known:
                yield Finding(path.at("backend.service.name"), "is no Service of this namespace")


@resource_rule(
    "K8S-RBC-01",
    "Nobody is bound to everything, and nobody unknown to anything.",
    CRITICAL,
    BINDINGS,
    remediation="Bind a role with the verbs that are needed to a named account.",
)
def bindings(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """cluster-admin, and the groups that everybody is in."""
    reader = resource.reader
    if reader.read("roleRef.name") == "cluster-admin":
        yield Finding("roleRef.name", "is cluster-admin")
    for subject in reader.each("subjects"):
        if subject.text("name") in NOBODY:
            yield Finding(subject.at("name"), "is a group of everybody, or of masters")


@resource_rule(
    "K8S-RBC-02",
    "A role names its verbs, resources and groups.",
    HIGH,
    ROLES,
    remediation="Write them out instead of *.",
)
def no_wildcards(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """A wildcard grows with every resource that is ever added to the cluster."""
    for rule in resource.reader.each("rules"):
        yield from apart(*(_stars(rule, name) for name in ("verbs", "resources", "apiGroups", "nonResourceURLs")))


def _stars(rule: Reader, name: str) -> Iterator[Found]:
    for path, value in rule.items(name):
        if value == "*":
            yield Finding(path, "is *")


DANGEROUS = (
    (frozenset({"escalate", "bind"}), frozenset({"roles", "clusterroles", "rolebindings", "clusterrolebindings"})),
    (frozenset({"impersonate"}), frozenset({"users", "groups", "serviceaccounts", "userextras", "uids"})),
    (frozenset({"create", "get"}), frozenset({"pods/exec", "pods/attach"})),
    (frozenset({"create", "get", "update", "patch"}), frozenset({"nodes/proxy"})),
    (frozenset({"update", "patch", "approve"}), frozenset({"certificatesigningrequests/approval", "signers"})),
    (
        frozenset({"create", "update", "patch", "delete"}),
        frozenset({"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}),
    ),
    (frozenset({"create"}), frozenset({"serviceaccounts/token"})),
)


@resource_rule(
    "K8S-RBC-03",
    "No role lets its holder become more than it is.",
    HIGH,
    ROLES,
    remediation="Drop the verb; read secrets by name in one namespace.",
)
def no_escalation(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Known ways up: kubernetes.io/docs/concepts/security/rbac-good-practices."""
    for rule in resource.reader.each("rules"):
        yield from apart(_ways_up(rule, cluster=resource.kind == "ClusterRole"))


def _ways_up(rule: Reader, *, cluster: bool) -> Iterator[Found]:
    verbs, resources = set(rule.texts("verbs")), set(rule.texts("resources"))
    for dangerous, on in DANGEROUS:
        if verbs & (dangerous | {"*"}) and resources & (on | {"*"}):
            yield Finding(rule.at("verbs"), f"lets its holder {min(dangerous)} {min(on)}")
            return
    reads = verbs & {"get", "list", "watch", "*"} and resources & {"secrets", "*"}
    if cluster and reads and not rule.read("resourceNames", []):
        yield Finding(rule.at("resources"), "reads the secrets of every namespace")


def _workloads(graph: Graph) -> Iterator[Resource]:
    for resource in graph.resources:
        if resource.package == "kubernetes" and resource.kind in LONG_RUNNING:
            yield resource


def _labels(workload: Resource) -> Any:
    return workload.reader.raw("spec.template.metadata.labels")


def _targets(graph: Graph, hpa: Resource) -> list[Resource]:
    ref = hpa.reader.inside("spec.scaleTargetRef")
    return [
        each
        for each in _workloads(graph)
        if each.provider_urn == hpa.provider_urn and each.kind == ref.raw("kind") and name_of(each) == ref.raw("name")
    ]


@stack_rule(
    "K8S-POD-11",
    "A workload has an account of its own, and its token only where it is used.",
    HIGH,
    ANY_KIND,
    remediation="Name a ServiceAccount; set automountServiceAccountToken false unless a binding names the account.",
    applies=holds_pods,
)
def own_account(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A token that nobody needs is a token that somebody takes."""
    bound = {
        (each.provider_urn, str(subject.get("namespace")), str(subject.get("name")))
        for each in graph.of(*BINDINGS)
        for subject in _listed(each.props.get("subjects"))
        if isinstance(subject, dict)
    }
    for workload in graph.of("kubernetes:*"):
        for pod in pods(workload):
            for found in apart(_account(workload, pod.spec, bound)):
                yield located(found, workload.urn)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _account(workload: Resource, spec: Reader, bound: set[tuple[Any, Any, Any]]) -> Iterator[Found]:
    name = spec.text("serviceAccountName", spec.text("serviceAccount"))
    if name in ("", "default"):
        yield Finding(spec.at("serviceAccountName"), "is the namespace's default account")
    mounted = spec.flag("automountServiceAccountToken", default=True)
    if mounted and (workload.provider_urn, namespace_of(workload), name) not in bound:
        yield Finding(spec.at("automountServiceAccountToken"), "must be false: nothing binds this account")


@stack_rule(
    "K8S-POD-13",
    "What serves users stands more than once, in more than one zone.",
    MEDIUM,
    ["kubernetes:apps/v1:*", HPA],
    remediation="Set replicas >= 2 or an autoscaler, and topologySpreadConstraints over zones.",
)
def spread(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Only where the facts say production."""
    if not facts.production:
        return
    scaled = {target.urn for hpa in graph.of(HPA) for target in _targets(graph, hpa)}
    for workload in graph.of("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"):
        for found in apart(_spread(workload, scaled=workload.urn in scaled)):
            yield located(found, workload.urn)


def _spread(workload: Resource, *, scaled: bool) -> Iterator[Found]:
    reader = workload.reader
    if not scaled and reader.number("spec.replicas", 1) < 2:  # noqa: PLR2004  one may fail
        yield Finding("spec.replicas", "is less than 2, and no autoscaler names it")
    spec = reader.inside("spec.template.spec")
    keys = [each.text("topologyKey") for each in spec.each("topologySpreadConstraints")]
    anti = list(walk(spec.map("affinity").get("podAntiAffinity", {})))
    if not any("zone" in key for key in keys) and not any("zone" in str(value) for _, value in anti):
        yield Finding(spec.at("topologySpreadConstraints"), "do not spread it over zones")


@stack_rule(
    "K8S-AVL-01",
    "Maintenance never takes the last one away, and is never blocked.",
    MEDIUM,
    [PDB, "kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"],
    remediation="Add a PodDisruptionBudget with maxUnavailable 1 (or minAvailable below the replicas).",
)
def budgets(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """One per workload with two replicas or more, which leaves one disruption at least."""
    held = by_namespace(graph, PDB)
    for workload in graph.of("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"):
        replicas = (
            workload.props.get("spec", {}).get("replicas", 1) if isinstance(workload.props.get("spec"), dict) else 1
        )
        if replicas is UNKNOWN:
            yield Open("spec.replicas", workload.urn)
            continue
        if not isinstance(replicas, int) or replicas < 2:  # noqa: PLR2004
            continue
        try:
            candidates = held.get((workload.provider_urn, namespace_of(workload)), [])
            mine = [pdb for pdb in candidates if selects(pdb.reader.raw("spec.selector"), _labels(workload))]
            if not mine and held.get((workload.provider_urn, NOWHERE)):
                raise Undetermined("metadata.namespace")  # noqa: TRY301  caught with what selects() raises
        except Undetermined as unknown:
            yield Open(unknown.path, workload.urn)
            continue
        if not mine:
            yield Finding("", "no PodDisruptionBudget selects it", workload.urn)
        for pdb in mine:
            if _blocks(pdb.reader, replicas):
                yield Finding("spec", "leaves no voluntary disruption: nodes could never be drained", pdb.urn)


def _blocks(pdb: Reader, replicas: int) -> bool:
    most, least = pdb.raw("spec.maxUnavailable"), pdb.raw("spec.minAvailable")
    if most is not None:
        return str(most) in ("0", "0%")
    text = str(least)
    if text.endswith("%") and text[:-1].isdigit():
        return -(-replicas * int(text[:-1]) // 100) >= replicas
    return text.isdigit() and int(text) >= replicas


@stack_rule(
    "K8S-AVL-02",
    "An autoscaler has something to scale, within bounds.",
    MEDIUM,
    [HPA],
    remediation="Point scaleTargetRef to a workload; 2 <= min <= max; no fixed replicas; no VPA on the same metric.",
)
def autoscalers(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A fixed number of replicas fights the autoscaler; so does a vertical one on the same metric."""
    vertical = graph.of("kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler")
    for hpa in graph.of(HPA):
        for found in apart(_bounds(hpa.reader)):
            yield located(found, hpa.urn)
        targets = _targets(graph, hpa)
        ref = hpa.reader.inside("spec.scaleTargetRef")
        if not targets and UNKNOWN in (ref.raw("name"), ref.raw("kind"), *_workload_names(graph, hpa)):
            yield Open("spec.scaleTargetRef.name", hpa.urn)
        elif not targets:
            yield Finding("spec.scaleTargetRef", "names nothing of this stack", hpa.urn)
        for target in targets:
            if target.reader.has("spec.replicas"):
                yield Finding("spec.replicas", "is fixed, and an autoscaler moves it", target.urn)
        for vpa in vertical:
            same = vpa.reader.raw("spec.targetRef.name") == ref.raw("name") and vpa.provider_urn == hpa.provider_urn
            moves = vpa.reader.raw("spec.updatePolicy.updateMode") not in ("Off", "Initial")
            resources = [metric.text("resource.name") for metric in hpa.reader.each("spec.metrics")]
            if same and moves and {"cpu", "memory"} & set(resources or ["cpu"]):
                yield Finding("spec.updatePolicy.updateMode", "fights the horizontal one on the same metric", vpa.urn)


def _workload_names(graph: Graph, hpa: Resource) -> list[Any]:
    return [each.reader.raw("metadata.name") for each in _workloads(graph) if each.provider_urn == hpa.provider_urn]


def _bounds(hpa: Reader) -> Iterator[Found]:
    low, high = hpa.number("spec.minReplicas", 1), hpa.number("spec.maxReplicas")
    if not 2 <= low <= high:  # noqa: PLR2004
        yield Finding("spec.minReplicas", f"{low:g} to {high:g}; needed is 2 <= min <= max")


@stack_rule(
    "K8S-MON-01",
    "What offers figures is asked for them.",
    MEDIUM,
    [SERVICE, MONITORS],
    remediation="Add a ServiceMonitor whose selector holds for the Service's labels.",
)
def monitored(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A Service with a port called metrics, or http-metrics, is selected by a monitor of the same cluster."""
    monitors = graph.of("kubernetes:monitoring.coreos.com/v1:ServiceMonitor")
    for service in graph.of(SERVICE):
        ports = service.reader.raw("spec.ports")
        names = [port.get("name") for port in ports if isinstance(port, dict)] if isinstance(ports, list) else []
        if not any(isinstance(name, str) and "metrics" in name for name in names):
            continue
        labels = service.reader.raw("metadata.labels")
        if labels is UNKNOWN:
            yield Open("metadata.labels", service.urn)
            continue
        try:
            mine = [each for each in monitors if each.provider_urn == service.provider_urn]
            chosen = [each for each in mine if selects(each.reader.raw("spec.selector"), labels)]
        except Undetermined as unknown:
            yield Open(unknown.path, service.urn)
            continue
        if not chosen:
            yield Finding("", "offers metrics, and no ServiceMonitor selects it", service.urn)


@resource_rule(
    "K8S-EXS-01",
    "Secrets come from a store, often, and by the workload's own identity.",
    HIGH,
    [
        "kubernetes:core/v1:Secret",
        "kubernetes:external-secrets.io/v1:ExternalSecret",
        "kubernetes:external-secrets.io/v1:SecretStore",
        "kubernetes:external-secrets.io/v1:ClusterSecretStore",
    ],
    remediation="Use an ExternalSecret with refreshInterval of an hour at most, and a store with workload identity.",
)
def external_secrets(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """A Secret with data in the program is a secret in the state."""
    reader = resource.reader
    if resource.kind == "Secret":
        for name in ("data", "stringData"):
            if reader.has(name):
                yield Finding(name, "holds data; take it from the secret store")
    elif resource.kind == "ExternalSecret":
        if not 0 < _hours(reader.text("spec.refreshInterval", "1h")) <= 1:
            yield Finding("spec.refreshInterval", "is not between 0 and 1h")
    else:
        for path, leaf in walk(reader.map("spec.provider"), "spec.provider"):
            if leaf is not UNKNOWN and path.endswith(("secretRef.name", "accessKeyIDSecretRef.name", "SecretRef.name")):
                yield Finding(path, "is a stored key; use workload identity")


def _hours(text: str) -> float:
    total = 0.0
    parts = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", text)
    for number, unit in parts:
        total += float(number) / {"h": 1, "m": 60, "s": 3600}[unit]
    return total if parts else -1.0


@resource_rule(
    "K8S-HLM-01",
    "A chart is one exact thing from a known place.",
    HIGH,
    ["kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart"],
    remediation="Give version exactly, an allowed repository, a digest, and no secret in values; say renderedSha256.",
)
def charts(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A Release is opaque: what it renders must be known by a hash, in its description or values."""
    reader = resource.reader
    parts = [_chart(reader), _values(reader)]
    if resource.kind == "Release":
        parts.append(_rendered(reader))
    for found in apart(*parts):
        unresolved = isinstance(found, Finding) and found.path in UNRESOLVED and _unresolved(reader, found.path)
        yield Open(found.path) if unresolved and facts.sandbox else found


def _rendered(reader: Reader) -> Iterator[Found]:
    if not (reader.has("values.renderedSha256") or _noted(reader, "rendered")):
        yield Finding("description", "says no `rendered sha256:...`: what the release renders is not known")


def _noted(reader: Reader, what: str) -> bool:
    """Say whether the description notes a digest: `chart sha256:..., rendered sha256:...`."""
    return re.search(rf"\b{what} (sha256:)?[0-9a-f]{{64}}\b", reader.text("description")) is not None


def _unresolved(reader: Reader, path: str) -> bool:
    """Say whether the description admits that the lock could not resolve it: offline nobody can."""
    return f"{UNRESOLVED[path]} unresolved" in reader.text("description")


def _chart(reader: Reader) -> Iterator[Found]:
    if not EXACT_VERSION.match(reader.text("version")):
        yield Finding("version", "is not exact")
    repository = reader.text("repositoryOpts.repo")
    chart = reader.text("chart")
    if not (repository.startswith("https://") or chart.startswith("oci://")):
        yield Finding("repositoryOpts.repo", "is no https or oci address")
    if not (reader.flag("verify") or "@sha256:" in chart or _noted(reader, "chart")):
        yield Finding("verify", "is off, and neither the chart nor the description has a digest")


def _values(reader: Reader) -> Iterator[Found]:
    for path, leaf in walk(reader.map("values"), "values"):
        name = path.rpartition(".")[2]
        if isinstance(leaf, str) and leaf and secret_name(name) and not name.lower().startswith("existing"):
            yield Finding(path, "looks like a secret; keep it in the secret store")


@resource_rule(
    "K8S-CHA-01",
    "Chaos reaches where it is let, and nobody else can let it loose.",
    HIGH,
    ["kubernetes:helm.sh/v4:Chart", "kubernetes:helm.sh/v3:Release"],
    remediation="Set clusterScoped false or enableFilterNamespace true; dashboard.securityMode true, ClusterIP.",
)
def chaos_mesh(resource: Resource, _facts: Facts) -> Iterator[Found]:
    """Only the chart of Chaos Mesh is asked."""
    reader = resource.reader
    if not reader.text("chart").rstrip("/").rpartition("/")[2].partition(":")[0].startswith("chaos-mesh"):
        return
    values = reader.inside("values")
    if values.flag("clusterScoped", default=True) and not values.flag("controllerManager.enableFilterNamespace"):
        yield Finding("values.clusterScoped", "is true without enableFilterNamespace")
    if values.flag("dashboard.create", default=True):
        if not values.flag("dashboard.securityMode", default=True):
            yield Finding("values.dashboard.securityMode", "is off")
        if values.text("dashboard.service.type", "NodePort") != "ClusterIP":
            yield Finding("values.dashboard.service.type", "must be ClusterIP; the chart's default is NodePort")
