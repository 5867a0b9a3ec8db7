"""Newer images from a real registry, into real files of a real repository, one signed-off commit for each."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from automation.cli import app
from automation.images.files import changed, places
from automation.pipeline import commands
from tests.automation.images.registry import Registry, registry

__all__ = ["registry"]
assert commands
DEPLOYMENT = """\
# the gateway, and its sidecar
apiVersion: apps/v1
kind: Deployment
metadata: {{name: gateway}}
spec:
  template:
    spec:
      initContainers:
        - {{name: prepare, image: "{host}/example/gateway:1.2.0"}}  # the same image
      containers:
        - name: gateway
          image: {host}/example/gateway:1.2.0 # stays a comment
          env: [{{name: IMAGE, value: "{host}/example/gateway:1.2.0"}}]
        - name: agent
          image: '{host}/example/agent:v0.9.1'
---
kind: ConfigMap
data: {{image: {host}/example/gateway:1.2.0}}
"""
KUSTOMIZATION = """\
resources: [deployment.yaml]
images:
  - name: {host}/example/worker
    newTag: "3.1"
  - name: worker-of-old
    newName: {host}/example/worker
  - {{name: other, newTag: 1.0.0}}
"""


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path, registry: Registry) -> Path:
    """A repository with what Argo CD watches in `apps`."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "config", "user.name", "Deployer")
    git(tmp_path, "config", "user.email", "deployer@example.org")
    home = tmp_path / "apps"
    home.mkdir()
    (home / "deployment.yaml").write_text(DEPLOYMENT.format(host=registry.host), encoding="utf-8")
    (home / "image-updates.yaml").write_text(
        f"images:\n  {registry.host}/example/gateway: {{constraint: ^1.2}}\n"
        f"  {registry.host}/example/agent: {{constraint: '>=0.9 <1', platforms: [linux/amd64, linux/arm64]}}\n",
        encoding="utf-8",
    )
    save(tmp_path)
    for tag in ("1.2.0", "1.3.0", "1.10.0", "1.11.0-rc.1", "2.0.0", "latest"):
        registry.push("example/gateway", tag)
    for tag in ("v0.9.1", "v0.9.2", "v1.0.0"):
        registry.push("example/agent", tag, "linux/amd64", "linux/arm64")
    return home


def save(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "state")


def run(*words: str, env: dict[str, str] | None = None) -> tuple[int, dict[str, Any], str]:
    done = CliRunner().invoke(app, ["images", "update", *words, "--json"], env=env or {})
    return done.exit_code, json.loads(done.stdout) if done.stdout.strip() else {}, done.stderr


def state(made: dict[str, Any]) -> dict[str, str]:
    return {each["image"].rpartition("/")[2]: each["state"] for each in made["images"]}


def test_newer_versions_come_as_commits_of_their_own(folder: Path, registry: Registry) -> None:
    code, made, _ = run(str(folder))
    assert code == 0
    assert state(made) == {"gateway": "newer", "agent": "newer"}
    text = (folder / "deployment.yaml").read_text(encoding="utf-8")
    gateway, agent = (each["after"] for each in made["images"])
    assert gateway.startswith("1.10.0@sha256:")
    assert agent.startswith("v0.9.2@sha256:")
    name = f"{registry.host}/example"
    assert f'image: "{name}/gateway:{gateway}"}}  # the same image' in text
    assert f"image: {name}/gateway:{gateway} # stays a comment" in text
    assert f"image: '{name}/agent:{agent}'" in text
    assert text.count("gateway:1.2.0") == 2  # a variable and a ConfigMap are no containers
    assert text.replace(f"gateway:{gateway}", "gateway:1.2.0").replace(agent, "v0.9.1") == DEPLOYMENT.format(
        host=registry.host
    )
    log = git(folder, "log", "--format=%s%n%b", "-2").splitlines()
    assert log[0] == f"images: {name}/agent v0.9.1 -> v0.9.2 (patch)"
    assert f"images: {name}/gateway 1.2.0 -> 1.10.0 (minor)" in log
    assert log.count("Signed-off-by: Deployer <deployer@example.org>") == 2
    assert f"after:  {gateway}" in log
    assert git(folder, "status", "--porcelain") == ""
    assert len(made["commits"]) == 2
    assert git(folder, "rev-parse", "HEAD") == made["commits"][1]

    code, made, _ = run(str(folder))
    assert (code, state(made), made["commits"]) == (0, {"gateway": "same", "agent": "same"}, [])


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    before = (folder / "deployment.yaml").read_bytes()
    head = git(folder, "rev-parse", "HEAD")
    code, made, said = run(str(folder), "--dry-run")
    assert (code, state(made), made["commits"]) == (0, {"gateway": "newer", "agent": "newer"}, [])
    assert "2 to commit (dry run)" in said
    assert (folder / "deployment.yaml").read_bytes() == before
    assert git(folder, "rev-parse", "HEAD") == head


def test_one_image_alone(folder: Path, registry: Registry) -> None:
    code, made, _ = run(str(folder), "--only", f"{registry.host}/example/agent")
    assert (code, state(made)) == (0, {"agent": "newer"})
    code, _, said = run(str(folder), "--only", f"{registry.host}/example/nothing")
    assert code == 2
    assert "follows no" in said


def test_kustomizations_get_tag_and_digest_in_either_style(folder: Path, registry: Registry) -> None:
    (folder / "kustomization.yaml").write_text(KUSTOMIZATION.format(host=registry.host), encoding="utf-8")
    (folder / "image-updates.yaml").write_text(
        f"images:\n  {registry.host}/example/worker: {{tag: '3.1'}}\n", encoding="utf-8"
    )
    save(folder)
    first = registry.push("example/worker", "3.1")
    code, made, _ = run(str(folder))
    assert (code, state(made)) == (0, {"worker": "pinned"})
    text = (folder / "kustomization.yaml").read_text(encoding="utf-8")
    wanted = KUSTOMIZATION.format(host=registry.host).replace('newTag: "3.1"', f'newTag: "3.1"\n    digest: {first}')
    old = f"newName: {registry.host}/example/worker"
    assert text == wanted.replace(old, f'{old}\n    newTag: "3.1"\n    digest: {first}')
    second = registry.push("example/worker", "3.1", salt="again")
    code, made, _ = run(str(folder))
    assert (code, state(made)) == (0, {"worker": "newer"})
    assert (folder / "kustomization.yaml").read_text(encoding="utf-8") == text.replace(first, second)


def test_a_version_that_was_published_anew_stops_everything(folder: Path, registry: Registry) -> None:
    assert run(str(folder))[0] == 0
    registry.push("example/gateway", "1.10.0", salt="again")
    registry.push("example/agent", "v0.9.3", "linux/amd64", "linux/arm64")
    head = git(folder, "rev-parse", "HEAD")
    code, made, said = run(str(folder))
    assert (code, made["error"]["reason"]) == (4, "moved")
    assert "published anew" in said
    assert git(folder, "rev-parse", "HEAD") == head


def test_an_image_that_is_not_there_for_every_platform_does_not_come(folder: Path, registry: Registry) -> None:
    registry.push("example/agent", "v0.9.3", "linux/amd64")
    code, made, said = run(str(folder))
    assert (code, state(made)) == (1, {"gateway": "newer", "agent": "failed"})
    assert "is not there for linux/arm64; it has linux/amd64" in " ".join(said.split())
    assert len(made["commits"]) == 1


def test_a_registry_that_does_not_answer_is_asked_once_and_the_others_go_on(folder: Path) -> None:
    file = folder / "image-updates.yaml"
    more = "  127.0.0.1:1/example/a: {tag: x}\n  127.0.0.1:1/example/b: {tag: x}\n"
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    pods = "kind: Pod\nspec: {containers: [{image: 127.0.0.1:1/example/a:x}, {image: 127.0.0.1:1/example/b}]}\n"
    (folder / "pod.yaml").write_text(pods, encoding="utf-8")
    save(folder)
    code, made, said = run(str(folder), "--dry-run")
    assert (code, state(made)["a"], state(made)["b"], state(made)["gateway"]) == (1, "failed", "failed", "newer")
    assert "127.0.0.1:1 cannot be reached" in " ".join(said.split())


@pytest.mark.parametrize("staged", [True, False])
def test_a_tree_that_is_not_clean_is_left_alone(folder: Path, *, staged: bool) -> None:
    file = folder / "deployment.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    if staged:
        git(folder, "add", "--all")
    head = git(folder, "rev-parse", "HEAD")
    code, made, _ = run(str(folder))
    assert (code, made["error"]["reason"]) == (4, "unclean")
    assert git(folder, "rev-parse", "HEAD") == head
    assert run(str(folder), "--dry-run")[0] == 0


def test_a_commit_that_fails_leaves_the_files_as_they_were(folder: Path) -> None:
    hook = folder.parent / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    code, made, said = run(str(folder))
    assert (code, made["error"]["reason"]) == (1, "git")
    assert "not today" in said
    assert git(folder, "status", "--porcelain") == ""


WRONG = {
    "no file": (None, "is missing: write which images are followed"),
    "no yaml": ("images: [", "line 2 cannot be read as YAML"),
    "no images": ("images: {}", "images:"),
    "unknown key": ("images: {HOST/example/gateway: {constrain: ^1.2}}", "constrain"),
    "no constraint": ("images: {HOST/example/gateway: {constraint: latest}}", "is no constraint: write for example"),
    "both": ("images: {HOST/example/gateway: {constraint: ^1, tag: main}}", "needs either `constraint`"),
    "neither": ("images: {HOST/example/gateway: {}}", "needs either `constraint`"),
    "a tag in the name": ("images: {'HOST/example/gateway:1.2.0': {tag: main}}", "name the image alone"),
    "no image": ("images: {'HTTP://x': {tag: main}}", "is no image"),
    "named by nothing": ("images: {HOST/example/nothing: {constraint: ^1}}", "is named by no manifest"),
    "outside": ("images: {HOST/example/gateway: {constraint: ^2}}", "is outside of ^2: correct one of them"),
    "another tag": ("images: {HOST/example/gateway: {tag: main}}", "is not the tag that image-updates.yaml follows"),
    "a list": ("- images", "image-updates.yaml is wrong"),
}


@pytest.mark.parametrize(("text", "says"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    folder: Path, registry: Registry, text: str | None, says: str
) -> None:
    file = folder / "image-updates.yaml"
    file.unlink() if text is None else file.write_text(text.replace("HOST", registry.host), encoding="utf-8")
    code, made, said = run(str(folder), "--dry-run")
    assert (code, made["error"]["code"]) == (2, 2)
    assert says in " ".join(said.split()), said


def test_a_template_that_names_an_image_is_told_and_another_one_is_not(folder: Path, registry: Registry) -> None:
    (folder / "template.yaml").write_text("a: {{ .Values.x }}: b: [\n", encoding="utf-8")
    assert run(str(folder), "--dry-run")[0] == 0
    (folder / "template.yaml").write_text(f"a: {{{{ x }}}}: [\nimage: {registry.host}/example/gateway:1\n", "utf-8")
    code, _, said = run(str(folder), "--dry-run")
    assert code == 2
    assert "template.yaml, line" in " ".join(said.split())


def test_a_digest_without_a_tag_is_followed_too(folder: Path, registry: Registry) -> None:
    file = folder / "deployment.yaml"
    name = f"{registry.host}/example/gateway"
    text = file.read_text(encoding="utf-8").replace(f"{name}:1.2.0 #", f"{name}@sha256:{'0' * 64} #")
    file.write_text(text, encoding="utf-8")
    save(folder)
    code, made, _ = run(str(folder), "--only", name)
    assert (code, state(made)) == (0, {"gateway": "newer"})
    assert f"image: {name}:{made['images'][0]['after']} #" in file.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_leaves_all_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "second.yaml").write_bytes((folder / "deployment.yaml").read_bytes())
    save(folder)
    real = Path.write_text

    def full(self: Path, *words: Any, **more: Any) -> int:
        if self.name == "second.yaml":
            raise OSError(28, "No space left on device", str(self))
        return real(self, *words, **more)

    monkeypatch.setattr(Path, "write_text", full)
    code, made, said = run(str(folder))
    assert (code, made["error"]["reason"]) == (1, "images")
    assert "No space left" in said
    assert git(folder, "status", "--porcelain") == ""


def test_nothing_goes_back(folder: Path, registry: Registry) -> None:
    file = folder / "deployment.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("gateway:1.2.0", "gateway:1.99.0"), encoding="utf-8")
    save(folder)
    code, made, said = run(str(folder), "--only", f"{registry.host}/example/gateway")
    assert (code, state(made)) == (1, {"gateway": "failed"})
    assert "nothing goes back" in " ".join(said.split())


def test_logins_that_cannot_be_read_are_wrong_input(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "logins.json"
    file.write_text('{"auths": {"ghcr.io": {"auth": "c2VjcmV0"}}}', encoding="utf-8")
    code, _, said = run(str(folder), "--dry-run", env={"ECOSYSTEM_REGISTRY_LOGINS": str(file)})
    assert code == 2
    assert "c2VjcmV0" not in said
    assert run(str(folder.parent / "nowhere"), "--dry-run")[0] == 2


def test_line_ends_anchors_and_other_kinds_stay_as_they_are(tmp_path: Path) -> None:
    text = (
        "kind: CronJob\r\nspec: {jobTemplate: {spec: {template: {spec: {containers: &all\r\n"
        "  [{image: nginx:1.0.0@sha256:" + "0" * 64 + "}], initContainers: *all}}}}}\r\n? [a, b]\r\n: c\r\n"
    )
    file = tmp_path / "job.yaml"
    file.write_bytes(text.encode())
    found = places(tmp_path, frozenset({"docker.io/library/nginx"}))
    assert [(place.line, place.image.tag) for place in found] == [(3, "1.0.0")]
    digest = "sha256:" + "1" * 64
    assert changed(text, found, "1.1.0", digest) == text.replace("1.0.0", "1.1.0").replace("0" * 64, "1" * 64)
