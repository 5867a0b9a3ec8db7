"""What a managed cluster has from the start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.kubernetes.api_server import equip
from sandbox.kubernetes.chart_definitions import given
from sandbox.kubernetes.clouds import definitions
from sandbox.kubernetes.kubeconfig import parse
from sandbox.kubernetes.rest import Rest
from sandbox.state import Database
from tests.toolchain.plane import control_plane
from toolchain.cluster import ControlPlane

__all__ = ["control_plane"]
SHARED = Path(os.environ.get("SHARED", "../shared")).resolve()
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(not (SHARED / "crds").exists() and os.environ.get("CI") != "true", reason=f"{SHARED} is absent"),
]
KIND = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/verticalpodautoscalers.autoscaling.k8s.io"


def test_a_definition_that_the_cloud_brings_is_there_and_stays(control_plane: ControlPlane) -> None:
    target = parse(control_plane.kubeconfig.read_text(encoding="utf-8"))
    rest = Rest(target.server, target.credentials)
    for _ in range(2):  # a second run finds what the first has left
        equip(rest, given("vpa"))
    assert rest.call("GET", KIND)["spec"]["names"]["kind"] == "VerticalPodAutoscaler"
    for definition in given("vpa"):
        rest.call("DELETE", f"{KIND.rpartition('/')[0]}/{definition['metadata']['name']}")


def test_only_a_cluster_that_was_asked_for_it_has_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "clouds.sqlite")
    assert definitions(database, "nobody.example.org") == ()
    database.close()
