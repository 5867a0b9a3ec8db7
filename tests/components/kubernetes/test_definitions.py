"""Custom resources against definitions of any version: what does not fit is told, what cannot be judged is listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from automation.command_line import app
from automation.exits import Exit
from automation.pipeline import commands
from components.kubernetes.crds.documents import DocumentError, read
from components.kubernetes.crds.fits import Seen, check, definitions

assert commands.REGISTERED

SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size", "mode"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 9},
        "mode": {"type": "string", "enum": ["on", "off"], "default": "on"},
        "port": {"x-kubernetes-int-or-string": True},
        "ratio": {"type": "number", "exclusiveMinimum": True, "minimum": 0},
        "note": {"type": "string", "nullable": True, "maxLength": 5},
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "since": {"type": "string", "format": "date-time"},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "pod": {"type": "object", "x-kubernetes-embedded-resource": True, "properties": {"spec": {"type": "object"}}},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "properties": {"name": {"type": "string"}}},
        },
        "one": {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
    },
    "x-kubernetes-validations": [{"rule": "self.size < 8"}],
}


def definition(**more: Any) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}}
    versions = [
        {"name": "v1", "served": True, "storage": True, "schema": schema},
        {"name": "v1alpha1", "served": False, "storage": False, "schema": schema},
    ]
    spec = {"group": "example.org", "names": {"kind": "Thing", "plural": "things"}, "versions": versions, **more}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec}


def thing(version: str = "v1", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"example.org/{version}",
        "kind": "Thing",
        "metadata": {"name": "one"},
        "spec": {"size": 3, **spec},
    }


def judged(folder: Path, *objects: Any, crds: Any = None) -> Seen:
    (folder / "crds").mkdir(exist_ok=True)
    (folder / "crds" / "thing.yaml").write_text(yaml.safe_dump(crds or definition()), encoding="utf-8")
    (folder / "objects.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    return check(read(folder / "objects.yaml"), definitions(folder / "crds"))


def test_what_fits_passes_and_rules_in_cel_are_counted(tmp_path: Path) -> None:
    whole = thing(
        port="http", ratio=0.5, note=None, name="a", since="2026-11-22T00:00:00Z", free={"x": [1]}, labels={"a": "b"},
        pod={"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {}}, tags=["a", "b"], one={"a": "x"},
        ports=[{"name": "a"}, {"name": "b"}],
    )  # fmt: skip
    seen = judged(tmp_path, whole, {**thing(port=80.0), "metadata": {"name": "two"}})
    assert (seen.misfits, seen.judged, seen.rules) == ([], 2, 2)


@pytest.mark.parametrize(
    ("spec", "path", "said"),
    [
        ({"size": "3"}, "spec.size", "is a string"),
        ({"size": 10}, "spec.size", "outside 1 to 9"),
        ({"size": 3.5}, "spec.size", "not integer"),
        ({"size": True}, "spec.size", "true or false"),
        ({"mode": "half"}, "spec.mode", "not one of on, off"),
        ({"port": 1.5}, "spec.port", "not integer or string"),
        ({"ratio": 0}, "spec.ratio", "outside 0"),
        ({"note": "longer"}, "spec.note", "size 6"),
        ({"name": "A"}, "spec.name", "does not match"),
        ({"since": "today"}, "spec.since", "is no date-time"),
        ({"labels": {"a": 1}}, "spec.labels.a", "not string"),
        ({"pod": {"spec": {}, "status": {}}}, "spec.pod.status", "does not have"),
        ({"tags": ["a", "a"]}, "spec.tags", "twice"),
        ({"ports": [{"name": "a"}, {"name": "a"}]}, "spec.ports", "twice"),
        ({"one": {"a": "x", "b": "y"}}, "spec.one", "fits 2 of the 2"),
        ({"one": {}}, "spec.one", "fits 0 of the 2"),
        ({"sizes": 3}, "spec.sizes", "does not have"),
        ({"size": None}, "spec.size", "is missing"),
    ],
)
def test_what_does_not_fit_is_told_with_its_path(tmp_path: Path, spec: dict[str, Any], path: str, said: str) -> None:
    (found,) = judged(tmp_path, thing(**spec)).misfits
    assert found.path == path
    assert said in found.what


def test_versions_that_are_not_served_and_kinds_that_are_not_there(tmp_path: Path) -> None:
    other = {**thing(), "kind": "Other"}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    seen = judged(tmp_path, thing("v1alpha1"), thing("v2"), other, other, pod)
    assert [each.what for each in seen.misfits] == [
        "v1alpha1 is not served (it is there, but not served), only v1",
        "v2 is not served, only v1",
    ]
    assert seen.missing == {"example.org/Other": 2}
    assert (seen.judged, seen.built_in) == (2, 1)


def test_a_definition_of_the_first_api_has_one_schema_for_all_versions(tmp_path: Path) -> None:
    old = definition(
        versions=[{"name": "v1beta1", "served": True}], version="v1beta1",
        validation={"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
    )  # fmt: skip
    seen = judged(tmp_path, thing("v1beta1", size=10), thing("v1beta1"), crds={"kind": "List", "items": [
        {**old, "apiVersion": "apiextensions.k8s.io/v1beta1"}]})  # fmt: skip
    assert [each.path for each in seen.misfits] == ["spec.size"]


def test_lists_and_empty_documents_are_read_and_their_places_told(tmp_path: Path) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": [thing(), thing(size=0)]}
    (found,) = judged(tmp_path, None, listed).misfits
    assert found.place.endswith("objects.yaml[1].items[1]")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a: [", r"line \d: cannot be read"),
        ("a: 1", "is no object of Kubernetes"),
        ("- 7", "is no object of Kubernetes"),
        ("a: &x [*x", "cannot be read"),
        ("\x00", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, words: str, said: str) -> None:
    (tmp_path / "o.yaml").write_text(words, encoding="utf-8")
    with pytest.raises(DocumentError, match=said):
        list(read(tmp_path / "o.yaml"))


def test_a_folder_without_definitions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "o.yaml").write_text(yaml.safe_dump(thing()), encoding="utf-8")
    for folder, said in ((tmp_path, "holds no CustomResourceDefinition"), (tmp_path / "none", "does not exist")):
        with pytest.raises(DocumentError, match=said):
            definitions(folder)


def test_the_command_ends_as_it_found(tmp_path: Path) -> None:
    judged(tmp_path, thing())
    manifest, crds = str(tmp_path / "objects.yaml"), str(tmp_path / "crds")
    run = CliRunner().invoke
    assert run(app, ["manifests", manifest, "--crds", crds]).exit_code == Exit.OK
    judged(tmp_path, thing(size=0), {**thing(), "kind": "Other"})
    told = run(app, ["manifests", manifest, "--crds", crds, "--json"])
    (made,) = json.loads(told.stdout)["clusters"].values()
    assert told.exit_code == Exit.REFUSED
    assert (len(made["misfits"]), made["missing"]) == (1, {"example.org/Other": 1})
    judged(tmp_path, {**thing(), "kind": "Other"})
    assert run(app, ["manifests", manifest, "--crds", crds]).exit_code == Exit.REFUSED
    assert run(app, ["manifests", manifest, "--crds", crds, "--allow-missing"]).exit_code == Exit.OK
    assert run(app, ["manifests", manifest, "--crds", manifest]).exit_code == Exit.WRONG_INPUT
    judged(tmp_path, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a", "namespace": "nowhere"}})
    assert run(app, ["manifests", manifest, "--references"]).exit_code == Exit.REFUSED


def test_what_managed_clusters_bring_needs_no_definition_of_ones_own(tmp_path: Path) -> None:
    how = {"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass", "metadata": {"name": "a"}}
    judged(tmp_path, {**how, "driver": "ebs.csi.aws.com", "deletionPolicy": "Delete"})
    manifest, crds = str(tmp_path / "objects.yaml"), str(tmp_path / "crds")
    run = CliRunner().invoke
    assert run(app, ["manifests", manifest, "--crds", crds]).exit_code == Exit.OK
    judged(tmp_path, {**how, "driver": "ebs.csi.aws.com", "deletionPolicy": "Keep"})
    told = run(app, ["manifests", manifest, "--crds", crds])
    assert told.exit_code == Exit.REFUSED
    assert "deletionPolicy" in told.stdout
