"""Preview environments on the real engine, clusters after a deployment, images: each with what must not pass."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from automation.exits import Ending
from automation.pipeline import images, preview_step, verify_clusters
from automation.pipeline.preview_clouds import EngineClouds, stack_text
from automation.pipeline.previews import Desk
from automation.pipeline.settings import Previews
from automation.pipeline.verify_clusters import Shown, judge, kubeconfigs, verify
from automation.session import Options
from toolchain.cluster import ControlPlane

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "tests" / "engine" / "projects" / "tiny"
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_the_file_of_a_preview() -> None:
    made = stack_text((ROOT / "Pulumi.prod.yaml").read_text(), "pr-7", 400)
    wish = yaml.safe_load(made)["config"]["cloud-ecosystem:stack"]
    assert wish["environment"] == "pr-7"
    assert wish["budget"]["monthly_usd"] == 400
    assert (wish["production"], wish["protect"]) == (False, False)
    was = yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"]["cloud-ecosystem:stack"]
    assert wish["clouds"] == was["clouds"]
    assert wish["prices"] == was["prices"]  # every scalar keeps its spelling
    with pytest.raises(Ending):
        stack_text("[]", "pr-7", 400)
    with pytest.raises(Ending):
        stack_text("config: {}", "pr-7", 400)


@pytest.mark.parametrize("text", ["", "0", "7/../8", "-1", "pr-7", "9" * 10, "7;id"])
def test_only_a_number_is_a_pull_request(text: str) -> None:
    with pytest.raises(Ending):
        preview_step.number_of({"PULL_REQUEST": text})
    assert preview_step.number_of({"PULL_REQUEST": "70"}) == 70


def test_open_pull_requests_are_told_not_guessed() -> None:
    assert preview_step.open_numbers({"OPEN_PULL_REQUESTS": "7, 9"}) == {7, 9}
    assert preview_step.open_numbers({"OPEN_PULL_REQUESTS": ""}) == set()
    for environ in ({}, {"OPEN_PULL_REQUESTS": "all"}):
        with pytest.raises(Ending):
            preview_step.open_numbers(environ)


def test_an_unknown_thing_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOSYSTEM_STATE", str(tmp_path))
    with pytest.raises(Ending, match="update, remove or sweep"):
        preview_step.preview_environment(argparse.Namespace(do="destroy"), tmp_path, real=False)


@pytest.mark.engine
def test_a_preview_environment_lives_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOSYSTEM_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    project = tmp_path / "tiny"
    shutil.copytree(TINY, project, ignore=shutil.ignore_patterns("__pycache__"))
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "first")):
        who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=project, check=True, capture_output=True)
    console = Console(stderr=True)
    clouds = EngineClouds(Options(project, offline=True, policies=False), console, "small", 400)
    desk = Desk(tmp_path / "desk.sqlite", clouds, Previews(stack="small"))
    before = sorted(path.name for path in project.iterdir())
    assert desk.push(7, "ada", "HEAD", NOW) == []
    assert clouds.names() == {"pr-7"}
    (state,) = (tmp_path / "state").glob("**/pr-7/backend/.pulumi/stacks/*/pr-7.json")
    held = json.loads(state.read_text())["checkpoint"]["latest"]["resources"]
    assert sum(one["custom"] for one in held) > 2
    assert desk.push(7, "ada", "HEAD", NOW + timedelta(hours=1)) == []  # a second push updates
    with pytest.raises(ValueError, match="no preview"):
        clouds.remove("small")
    assert desk.sweep({7}, NOW + timedelta(hours=60)) == ["pr-7"]
    assert clouds.names() == set()
    assert list((tmp_path / "state").glob("**/pr-7/**/pr-7.json")) == []
    clouds.remove("pr-7")  # again: nothing happens
    assert sorted(path.name for path in project.iterdir()) == before  # no file of the checkout was touched


READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def thing(name: str, space: str = "shop", **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": space}, **more}


def endpoints(service: str, *, ready: bool) -> dict[str, Any]:
    made = thing(f"{service}-x", endpoints=[{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}])
    made["metadata"]["labels"] = {"kubernetes.io/service-name": service}
    return made


WAITS = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
NODE = {"metadata": {"name": "n1"}, "status": READY}
GOOD = Shown(
    [NODE],
    [thing("web", status={"phase": "Running", **READY}), thing("done", status={"phase": "Succeeded"})],
    [thing("web", spec={"selector": {"app": "web"}}), thing("alone", spec={})],
    [endpoints("web", ready=True)],
)


def test_a_healthy_cluster() -> None:
    assert judge(GOOD) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nodes": []}, "there is no node"),
        ({"nodes": [{"metadata": {"name": "n1"}, "status": {}}]}, "node n1 is not ready"),
        ({"pods": [thing("web", status={"phase": "Pending"})]}, "pod shop/web is not ready: Pending"),
        ({"pods": [thing("web")]}, "pod shop/web is not ready: no status"),
        (
            {"pods": [thing("web", status={"phase": "Running", "containerStatuses": [WAITS]})]},
            "pod shop/web is not ready: CrashLoopBackOff",
        ),
        ({"slices": []}, "service shop/web has no ready endpoint"),
        ({"slices": [endpoints("web", ready=False)]}, "service shop/web has no ready endpoint"),
        (
            {"services": [thing("web", spec={"selector": {"a": "b"}, "type": "LoadBalancer"})]},
            "service shop/web has no address of a load balancer",
        ),
    ],
)  # fmt: skip
def test_what_is_not_ready_is_found(change: dict[str, Any], said: str) -> None:
    assert judge(Shown(**{**GOOD.__dict__, **change})) == [said]


def test_kubeconfigs_of_a_state() -> None:
    held = {verify_clusters.SECRET_MARK: "1b", "plaintext": '"inner"'}
    resources = [
        {"urn": "u::aws-eu", "type": verify_clusters.PROVIDER, "inputs": {"kubeconfig": "plain"}},
        {"urn": "u::gcp", "type": verify_clusters.PROVIDER, "inputs": {"kubeconfig": held}},
        {"urn": "u::x", "type": "other", "inputs": {"kubeconfig": "no"}},
    ]  # fmt: skip
    assert kubeconfigs({"deployment": {"resources": resources}}) == {"aws-eu": "plain", "gcp": "inner"}
    with pytest.raises(Ending):
        verify({})


@pytest.mark.cluster
@pytest.mark.slow
def test_a_real_api_server_is_asked() -> None:
    with ControlPlane() as plane:
        text = plane.kubeconfig.read_text()
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        }
        plane.kubectl("create", "-f", "-", stdin=json.dumps(pod))
        found = verify({"one": text, "gone": text.replace(plane.server, "https://127.0.0.1:1")})
    assert "there is no node" in found["one"]
    assert "pod default/p is not ready: Pending" in found["one"]
    (line,) = found["gone"]
    assert line.startswith("does not answer")


class Docker:
    """The answers of a docker whose registries keep what they get."""

    def __init__(self, digests: dict[str, str]) -> None:
        self.digests, self.said = digests, list[tuple[str, ...]]()

    def __call__(self, words: Sequence[str]) -> str:
        self.said.append(tuple(words))
        target = words[-1]
        if words[0] != "image":
            return ""
        name = target.rsplit(":", 1)[0]
        host = name.split("/")[0]
        return json.dumps([f"other/x@sha256:{'0' * 64}", f"{name}@sha256:{self.digests[host] * 64}"])


WHERE = {"aws": "one.example/p", "gcp": "two.example/p"}


def test_images_are_the_same_everywhere(tmp_path: Path) -> None:
    made = images.push(WHERE, ["application:abc"], run := Docker({"one.example": "a", "two.example": "a"}))
    assert made["application:abc"]["gcp"] == f"two.example/p/application@sha256:{'a' * 64}"
    assert [words[0] for words in run.said] == ["tag", "push", "image"] * 2
    images.save(made, tmp_path / "build" / "images.json")
    assert json.loads((tmp_path / "build" / "images.json").read_text()) == made
    with pytest.raises(Ending) as caught:
        images.push(WHERE, ["application:abc"], Docker({"one.example": "a", "two.example": "b"}))
    assert caught.value.code == 4


@pytest.mark.parametrize(
    ("where", "names"), [({}, ["a:b"]), ({"aws": "--help"}, ["a:b"]), (WHERE, ["a:b c"]), (WHERE, ["-x:b"])]
)
def test_names_that_docker_would_misread(where: dict[str, str], names: list[str]) -> None:
    with pytest.raises(Ending) as caught:
        images.push(where, names, Docker({}))
    assert caught.value.code == 2
