"""Objects for clusters' doors: the examples of every rule over Kubernetes objects, and pods of the published standard.

Each is completed to what an API server takes, so that our verdict and the cluster's are about the same object.
"""

from __future__ import annotations

import copy
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import charter.rules  # noqa: F401
from charter.admission.render import WANTED
from charter.examples import cases, written
from charter.facts import Facts
from charter.judge import Judge
from charter.pods import ANY_KIND
from charter.rule import RULES, Resource
from charter.values import hazy

from tests.policies import pod_security

KINDS = {(kind.group, kind.kind): kind for wanted in WANTED for kind in wanted.kinds}
BY_RULE = {wanted.rule: wanted for wanted in WANTED}
IMAGE = "registry.example.org/app@sha256:" + "0123456789abcdef" * 4


@dataclass(frozen=True)
class Sample:
    """One object with the place it comes from."""

    label: str
    document: dict[str, Any]

    @property
    def resource(self) -> Resource:
        """Return the object as rules see it in a program."""
        group, _, version = self.document["apiVersion"].rpartition("/")
        props = {key: value for key, value in self.document.items() if key not in ("apiVersion", "kind")}
        kind = f"kubernetes:{group or 'core'}/{version}:{self.document['kind']}"
        return Resource(urn=f"urn:pulumi:prod::law::{kind}::it", type=kind, name="it", props=props)


def samples() -> list[Sample]:
    """Return every object once."""
    standard = (Sample(f"pss/{each.label}", completed(each.document)) for each in pod_security.corpus())
    found = [*_examples(), *standard, *_spoken(), *_loose()]
    kept: dict[str, Sample] = {}
    for each in found:
        kept.setdefault(repr(each.document), each)
    return list(kept.values())


def _examples() -> Iterator[Sample]:
    for rule in sorted(written()):
        if not any(pattern.startswith("kubernetes:") or pattern in ANY_KIND for pattern in RULES[rule].types):
            continue
        for case in cases(rule):
            for name, each in case.resources.items():
                group, _, rest = each["type"].removeprefix("kubernetes:").partition("/")
                version, _, kind = rest.partition(":")
                group = "" if group == "core" else group
                known = KINDS.get((group, kind))
                if not each["type"].startswith("kubernetes:") or known is None or known.version != version:
                    continue
                if hazy(each.get("props", {})) or not isinstance(each.get("props"), dict):
                    continue
                document = {"apiVersion": f"{group}/{version}".lstrip("/"), "kind": kind, **each["props"]}
                yield Sample(f"{rule}/{case.label}/{name}", completed(document))


NAMES = (
    *("DB_PASSWORD", "dbPassword", "DBPassword", "PGPASSWORD", "passwordFile", "PASSWORD_FILE", "API_KEY", "apiKey"),
    *("APIKey", "TOKEN_URL", "secret_key", "Connection_String", "pass_word", "tokens", "MY2TOKEN", "token2"),
    *("AUTH_KEY", "Xpassword", "XYToken", "credential_id"),
)
ARGUMENTS = (
    ["--password", "hunter2"], ["--password=hunter2"], ["--password-file", "/run/p"], ["-c", "TOKEN=abcd run"],
    ["--token", "$(TOKEN)"], ["--token", "--verbose"], ["sh", "-c", "export API_KEY=$KEY"], ["--retries=3"],
    ["postgres://u:p@h/db"], ["--token=true"], ["--secret="], ["token", "abcdef"],
)  # fmt: skip


def _spoken() -> Iterator[Sample]:
    """Yield pods whose variables and arguments are, or only look like, secrets: by name, by form, by randomness."""
    dice = random.Random(7)
    alphabets = (
        string.ascii_letters + string.digits,
        "abcdefABCDEF0123456789",
        "aB3" * 3,
        string.ascii_letters + "/+=",
    )
    values = ["".join(dice.choices(alphabets[n % 4], k=18 + n * 3)) for n in range(36)]
    values += ["".join(dice.choices(alphabets[0], k=size)) for size in (19, 20, 300, 900, 1024)]
    for index, name in enumerate(NAMES):
        yield _telling(
            f"name {name}", env=[{"name": name, "value": ("x1y2", "true", "/etc/p", "$(OTHER)", "")[index % 5]}]
        )
        yield _telling(f"named {name}", env=[{"name": name, "value": "correct-horse"}])
    for index, value in enumerate(values):
        yield _telling(f"value {index}", env=[{"name": "PLAIN", "value": value}])
    for index, words in enumerate(ARGUMENTS):
        yield _telling(f"args {index}", args=words)


def _loose() -> Iterator[Sample]:
    """Yield pods as manifests write them: nothing as null, whole quantities as numbers."""
    nothing = ("securityContext", "volumes", "initContainers", "serviceAccountName")
    for name in nothing:
        sample = _telling(f"null {name}")
        sample.document["spec"][name] = None
        yield sample
    for name in ("securityContext", "env", "args", "ports", "resources", "livenessProbe", "lifecycle"):
        yield _telling(f"null container {name}", **{name: None})
    for value in (1, 0.5):
        limits = {"memory": "128Mi", "cpu": 4 * value, "ephemeral-storage": "1Gi"}
        yield _telling(f"cpu {value}", resources={"requests": {"cpu": value, "memory": "128Mi"}, "limits": limits})


def _telling(label: str, **more: Any) -> Sample:
    spec = pod_security.good()
    spec["containers"][0].update(more)
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it", "namespace": "shop"}, "spec": spec}
    return Sample(f"words/{label}", made)


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """Return an object with what an API server demands beside what the rule is about."""
    made = copy.deepcopy(document)
    metadata = made.setdefault("metadata", {})
    metadata.setdefault("name", "it")
    kind = made["kind"]
    if kind not in {"Namespace", "ClusterRole", "ClusterRoleBinding", "ClusterSecretStore", "ClusterExternalSecret"}:
        metadata.setdefault("namespace", "shop")
    filled = FILLERS.get(kind)
    if filled:
        filled(made)
    return made


def _pod(spec: dict[str, Any]) -> None:
    if not spec.get("containers"):
        spec["containers"] = [{}]
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(group) or []):
            container.setdefault("name", f"{group[0]}{index}")
            _container(container, spec)
    for constraint in spec.get("topologySpreadConstraints") or []:
        constraint.setdefault("maxSkew", 1)
        constraint.setdefault("whenUnsatisfiable", "ScheduleAnyway")
    context = spec.get("securityContext") or {}
    _profile(context)
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        spec["hostNetwork"] = True
    if (spec.get("os") or {}).get("name") == "windows":
        context.pop("seccompProfile", None)
    for index, volume in enumerate(spec.get("volumes") or []):
        volume.setdefault("name", f"v{index}")
        if "nfs" in volume:
            volume["nfs"] = {"server": "s", "path": "/p"}


def _container(container: dict[str, Any], spec: dict[str, Any]) -> None:
    container.setdefault("image", IMAGE)
    context = container.get("securityContext") or {}
    if context.get("privileged"):
        context["allowPrivilegeEscalation"] = True
    if context.get("procMount") == "Unmasked":
        spec["hostUsers"] = False
    _profile(context)
    for port in container.get("ports") or []:
        port.setdefault("containerPort", 8080)
    for variable in container.get("env") or []:
        variable.setdefault("name", "PLAIN")
    for probe in ("readinessProbe", "livenessProbe"):
        action = (container.get(probe) or {}).get("httpGet")
        if isinstance(action, dict):
            action.setdefault("port", 8080)


def _profile(context: dict[str, Any]) -> None:
    for name in ("seccompProfile", "appArmorProfile"):
        if (context.get(name) or {}).get("type") == "Localhost":
            context[name].setdefault("localhostProfile", "p")


def _bare(made: dict[str, Any]) -> None:
    _pod(made.setdefault("spec", {}))


def _template(made: dict[str, Any], *, selected: bool = True, restart: str = "") -> None:
    spec = made.setdefault("spec", {})
    template = spec.setdefault("template", {})
    inner = template.setdefault("spec", {})
    _pod(inner)
    if restart:
        inner.setdefault("restartPolicy", restart)
    if selected:
        labels = template.setdefault("metadata", {}).setdefault("labels", {})
        labels.setdefault("app", "it")
        spec["selector"] = {"matchLabels": dict(labels)} if made["kind"] != "ReplicationController" else dict(labels)
    if made["kind"] == "StatefulSet":
        spec.setdefault("serviceName", "it")
        for claim in spec.get("volumeClaimTemplates") or []:
            claim.setdefault("metadata", {}).setdefault("name", "data")
            claim.setdefault("spec", {}).setdefault("accessModes", ["ReadWriteOnce"])
            claim["spec"].setdefault("resources", {"requests": {"storage": "1Gi"}})


def _cron(made: dict[str, Any]) -> None:
    spec = made.setdefault("spec", {})
    spec.setdefault("schedule", "0 3 * * *")
    job = spec.setdefault("jobTemplate", {})
    _template({"kind": "Job", "spec": job.setdefault("spec", {})}, selected=False, restart="Never")


def _binding(made: dict[str, Any]) -> None:
    role = made.setdefault("roleRef", {})
    role.setdefault("apiGroup", "rbac.authorization.k8s.io")
    role.setdefault("kind", "ClusterRole")
    role.setdefault("name", "view")
    for subject in made.get("subjects") or []:
        subject.setdefault("kind", "Group" if str(subject.get("name", "")).startswith("system:") else "User")
        if subject["kind"] == "ServiceAccount":
            subject.setdefault("namespace", "shop")


def _service(made: dict[str, Any]) -> None:
    made.setdefault("spec", {}).setdefault("ports", [{"port": 80}])
    for index, port in enumerate(made["spec"]["ports"]):
        port.setdefault("port", 8080)
        if len(made["spec"]["ports"]) > 1:
            port.setdefault("name", f"p{index}")


def _ingress(made: dict[str, Any]) -> None:
    for rule in made.get("spec", {}).get("rules") or []:
        for path in (rule.get("http") or {}).get("paths") or []:
            path.setdefault("path", "/")
            path.setdefault("pathType", "Prefix")
            service = path.get("backend", {}).get("service")
            if isinstance(service, dict):
                service.setdefault("port", {"number": 80})
    spec = made.setdefault("spec", {})
    if not spec.get("rules"):
        spec.setdefault("defaultBackend", {"service": {"name": "it"}})
    if isinstance(spec.get("defaultBackend", {}).get("service"), dict):
        spec["defaultBackend"]["service"].setdefault("port", {"number": 80})


def _policy(made: dict[str, Any]) -> None:
    made.setdefault("spec", {}).setdefault("podSelector", {})


def _scaler(made: dict[str, Any]) -> None:
    target = made.setdefault("spec", {}).setdefault("scaleTargetRef", {})
    target.setdefault("kind", "Deployment")
    target.setdefault("apiVersion", "apps/v1")
    target.setdefault("name", "it")
    made["spec"].setdefault("maxReplicas", 3)
    for metric in made["spec"].get("metrics") or []:
        metric.setdefault("type", "Resource")
        target = {"type": "Utilization", "averageUtilization": 70}
        if "external" in metric:
            target = {"type": "Value", "value": "1"}
        for name in ("resource", "containerResource", "external"):
            if name in metric:
                metric[name].setdefault("target", target)
        if "containerResource" in metric:
            metric["containerResource"].setdefault("container", "main")


def _selected(made: dict[str, Any]) -> None:
    _template(made)


def _job(made: dict[str, Any]) -> None:
    _template(made, selected=False, restart="Never")


def _pod_template(made: dict[str, Any]) -> None:
    _pod(made.setdefault("template", {}).setdefault("spec", {}))


def _namespace(made: dict[str, Any]) -> None:
    made["metadata"]["name"] = "new-" + made["metadata"]["name"]


def _role(made: dict[str, Any]) -> None:
    for rule in made.get("rules") or []:
        if "nonResourceURLs" not in rule:
            rule.setdefault("apiGroups", [""])
            rule.setdefault("resources", ["pods"])
        rule.setdefault("verbs", ["get"])


FILLERS = {
    "Namespace": _namespace,
    "Role": _role,
    "ClusterRole": _role,
    "Pod": _bare,
    "PodTemplate": _pod_template,
    "Job": _job,
    "CronJob": _cron,
    "Service": _service,
    "Ingress": _ingress,
    "NetworkPolicy": _policy,
    "HorizontalPodAutoscaler": _scaler,
    "ClusterRoleBinding": _binding,
    "RoleBinding": _binding,
    **dict.fromkeys(("ReplicationController", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"), _selected),
}


def ours(sample: Sample, facts: Facts) -> frozenset[str]:
    """Return the rules that find something in an object, as far as an object alone can tell."""
    resource, judge = sample.resource, Judge()
    verdicts = [*judge.resource(resource, facts), *judge.stack([resource], facts)]
    return frozenset(
        each.rule.id for each in verdicts if covered(each.rule.id, each.path) and asked(each.rule.id, sample)
    )


def covered(rule: str, path: str) -> bool:
    """Say whether a finding at a path is one that admission can make."""
    wanted = BY_RULE.get(rule)
    return wanted is not None and (not wanted.covers or re.search(wanted.covers, path) is not None)


def asked(rule: str, sample: Sample) -> bool:
    """Say whether a rule asks this kind of object at a cluster's door."""
    return any(
        sample.document["apiVersion"] == f"{kind.group}/{kind.version}".lstrip("/")
        and sample.document["kind"] == kind.kind
        for kind in BY_RULE[rule].kinds
    )
