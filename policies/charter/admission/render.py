"""Write the rules over Kubernetes objects for clusters: `python -m charter.admission.render cel|gatekeeper [CONFIG]`.

`cel` are ValidatingAdmissionPolicies with their bindings, which the API server itself judges; `gatekeeper` are
ConstraintTemplates with their constraints. Both hold the same expressions. They go to standard output as YAML.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import charter.rules  # noqa: F401  registers every rule
import yaml
from charter.admission import mesh, objects, pods, secret_words
from charter.admission.wanted import Kind, Wanted, cel
from charter.facts import Facts, read_facts
from charter.rule import RULES, Severity

WANTED: Final = (*pods.WANTED, *objects.WANTED, *mesh.WANTED)
DOORS: Final = ("cel", "gatekeeper")
EXEMPT: Final = ("kube-node-lease", "kube-public", "kube-system")
"""The cluster's own namespaces: what a cloud or the cluster itself puts there is not ours to refuse."""
DIFFERENCES: Final = (
    (
        "A Pod whose container has limits and no requests: the API server fills requests from limits before any policy "
        "sees it, so K8S-POD-09 is met there and found in a program."
    ),
    (
        "A Pod of the node's network whose ports name no `hostPort`: the API server fills them in, so K8S-POD-06 finds "
        "them beside K8S-POD-02."
    ),
    (
        "A Pod that a DaemonSet of a named node agent made, in an agent's namespace: let be at the door, as its "
        "DaemonSet is; in a program no Pod has an owner."
    ),
    f"A text of more than {secret_words.WEIGHED} characters: its randomness is told by the first ones.",
    f"Blocks that add up to the whole world in parts smaller than /{objects.SPLIT}: found in a program only.",
    f"References to stored keys deeper than {mesh.DEEPEST} levels below a store's provider: found in a program only.",
    "Custom resources that hold pod templates: judged in a program; at the door when their Pods are made.",
    "Images that carry a tag: open in a rehearsal without a network, refused at the door.",
)
"""What sets the doors apart although they hold the same rules; the corpus of the tests has none of it."""
PAGE: Final = "docs/policies/k8s.md"
LABELS: Final = {"app.kubernetes.io/part-of": "integrity-charter"}


def variables(facts: Facts) -> dict[str, str]:
    """Return every variable that expressions may read, with the facts of the stack among them."""
    registries = tuple(f"{each.rstrip('/')}/" for each in facts.registries)
    told = {"registries": cel(registries), "allowed": cel(facts.allowed_namespaces)}
    return {**pods.VARIABLES, **objects.VARIABLES, **mesh.VARIABLES, **told}


def message(wanted: Wanted) -> str:
    """Say what is wanted, how to get there, and where more is written."""
    law = wanted.law
    return f"{law.id}: {law.title} {law.remediation} See {PAGE}#{law.id.lower()}"


def policies(facts: Facts, exempt: Iterable[str] = EXEMPT) -> Iterator[dict[str, Any]]:
    """Yield each rule as ValidatingAdmissionPolicy and its binding."""
    known = variables(facts)
    for wanted in WANTED:
        name = _name(wanted)
        yield {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name, "labels": dict(LABELS)},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [_resources(kind) for kind in wanted.kinds]},
                "variables": [
                    {"name": key, "expression": expression} for key, expression in wanted.variables(known).items()
                ],
                "validations": [
                    {"expression": each, "message": message(wanted), "reason": "Forbidden"} for each in wanted.tests
                ],
            },
        }
        actions = ["Warn", "Audit"] if wanted.law.severity is Severity.MEDIUM else ["Deny", "Audit"]
        yield {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name, "labels": dict(LABELS)},
            "spec": {"policyName": name, "validationActions": actions, **_outside(exempt)},
        }


def templates(facts: Facts, exempt: Iterable[str] = EXEMPT) -> Iterator[dict[str, Any]]:
    """Yield each rule as ConstraintTemplate and its constraint."""
    known = variables(facts)
    for wanted in WANTED:
        kind = "".join(part.capitalize() for part in _name(wanted).split("-"))
        source = {
            "failurePolicy": "Fail",
            "variables": [{"name": key, "expression": each} for key, each in wanted.variables(known).items()],
            "validations": [{"expression": each, "message": message(wanted)} for each in wanted.tests],
        }
        yield {
            "apiVersion": "templates.gatekeeper.sh/v1",
            "kind": "ConstraintTemplate",
            "metadata": {
                "name": kind.lower(),
                "labels": dict(LABELS),
                "annotations": {"description": wanted.law.title},
            },
            "spec": {
                "crd": {"spec": {"names": {"kind": kind}}},
                "targets": [
                    {
                        "target": "admission.k8s.gatekeeper.sh",
                        "code": [{"engine": "K8sNativeValidation", "source": source}],
                    }
                ],
            },
        }
        match: dict[str, Any] = {"kinds": [{"apiGroups": [each.group], "kinds": [each.kind]} for each in wanted.kinds]}
        if left := sorted(exempt):
            match["excludedNamespaces"] = left
        yield {
            "apiVersion": "constraints.gatekeeper.sh/v1beta1",
            "kind": kind,
            "metadata": {"name": _name(wanted), "labels": dict(LABELS)},
            "spec": {
                "enforcementAction": "warn" if wanted.law.severity is Severity.MEDIUM else "deny",
                "match": match,
            },
        }


def _name(wanted: Wanted) -> str:
    return f"charter-{wanted.rule.lower()}"


def _resources(kind: Kind) -> dict[str, Any]:
    return {
        "apiGroups": [kind.group],
        "apiVersions": [kind.version],
        "operations": ["CREATE", "UPDATE"],
        "resources": [kind.plural, *kind.beside],
    }


def _outside(exempt: Iterable[str]) -> dict[str, Any]:
    left = sorted(exempt)
    if not left:
        return {}
    told = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": left}
    return {"matchResources": {"namespaceSelector": {"matchExpressions": [told]}}}


def beyond() -> dict[str, str]:
    """Return which rules over Kubernetes objects no cluster can decide, or only in part, and why."""
    parts = {wanted.rule: wanted.beside for wanted in WANTED if wanted.beside}
    whole = {wanted.rule for wanted in WANTED}
    for rule in RULES.values():
        if rule.id in whole or not any(pattern.startswith(("kubernetes:", "*")) for pattern in rule.types):
            continue
        if rule.stack_check:
            parts[rule.id] = "it judges objects by one another; admission sees one at a time"
        elif all("helm.sh" in pattern for pattern in rule.types):
            parts[rule.id] = "a chart or release is no object of a cluster; what it renders is judged"
        else:
            parts[rule.id] = "it judges the program's providers, options and tags, which no object carries"
    return dict(sorted(parts.items()))


def rendered(door: str, facts: Facts) -> str:
    """Return a door's objects as YAML; raise ValueError when there is no such door."""
    if door not in DOORS:
        raise ValueError(f"{door}: no such door to a cluster; there are {' and '.join(DOORS)}")
    made = policies(facts) if door == "cel" else templates(facts)
    head = "# Generated from the rules of policies/charter: `python -m automation law render`. Do not edit.\n"
    return head + yaml.dump_all(made, Dumper=_Plain, sort_keys=False, width=4096, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    """YAML without anchors: an object of a cluster has none."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        del data
        return True


def main(arguments: list[str]) -> int:
    """Write the door of the first argument by the facts of the second; return the exit code."""
    try:
        told: Mapping[str, Any] = json.loads(Path(arguments[1]).read_text("utf-8")) if len(arguments) > 1 else {}
        text = rendered(arguments[0] if arguments else "", read_facts(told))
    except (OSError, ValueError) as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
