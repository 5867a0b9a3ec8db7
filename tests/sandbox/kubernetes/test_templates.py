"""A template of Gatekeeper defines a kind at the port; its constraints can be made afterwards, and go with it."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.chart_definitions import brought
from sandbox.kubernetes.releases import RELEASE
from tests.sandbox.kubernetes.objects import DEFINITION, NAMESPACE, named
from tests.sandbox.kubernetes.port import Port
from tests.sandbox.kubernetes.test_releases import needs_shared

KIND = "WantedLabels"
TEMPLATE = "kubernetes:templates.gatekeeper.sh/v1:ConstraintTemplate"
LABELS = "kubernetes:constraints.gatekeeper.sh/v1beta1:WantedLabels"


def template(**spec: Any) -> dict[str, Any]:
    crd = {"spec": {"names": {"kind": KIND}, **spec}}
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "wantedlabels"},
        "spec": {"crd": crd, "targets": [{"target": "admission.k8s.gatekeeper.sh"}]},
    }


def constraint(action: str = "deny") -> dict[str, Any]:
    match = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": KIND,
        "metadata": {"name": "owner"},
        "spec": {"enforcementAction": action, "match": match},
    }


@needs_shared
def test_a_constraint_comes_after_its_template_and_goes_with_it(schema_port: Port) -> None:
    schema_port.create(NAMESPACE, "gatekeeper-system", named("gatekeeper-system"))
    chart = {"chart": "gatekeeper", "name": "gatekeeper", "namespace": "gatekeeper-system", "values": {}}
    schema_port.create(RELEASE, "gatekeeper", {**chart, "repositoryOpts": {"repo": "https://charts.example.org"}})
    definition = f"{KIND.lower()}.constraints.gatekeeper.sh"
    assert not held(schema_port, definition)
    made = schema_port.create(TEMPLATE, "wanted", template())
    assert held(schema_port, definition)
    late = schema_port.create(LABELS, "late", constraint())
    assert late.id == "owner"
    changed = schema_port.change(made, template(validation={"openAPIV3Schema": {"type": "object"}}))
    assert held(schema_port, definition)
    schema_port.remove(late)
    schema_port.remove(changed)
    assert not held(schema_port, definition)


def held(port: Port, definition: str) -> bool:
    """Say whether the cluster has a definition."""
    return bool(port.imported(DEFINITION, "asked", definition)[0])


@needs_shared
def test_a_schema_in_the_form_of_a_definition_is_not_installed() -> None:
    names = {each["spec"]["names"]["kind"] for each in brought("gatekeeper", {})}
    assert "ConstraintTemplate" in names
    assert "DummyCRD" not in names
