"""Backups: what is copied, when and where to; and that the restore which proves them can fail."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes.restore_test import READ, STEPS, TOKEN, WRITE, order
from tests.components.kubernetes.services.built import SHARED, build, named, needs_shared, objects, releases, spec, tool
from tests.components.mock_cloud import Cloud

SERVICES: dict[str, Any] = {"external_secrets": {}, "backup": {}}


def values(cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = releases(cloud)["velero"]["values"]
    return found


def pods(cloud: Cloud) -> Iterator[dict[str, Any]]:
    """Every pod that is described, those in texts for the test included."""
    for each in objects(cloud, "CronJob"):
        yield each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    yield json.loads(named(cloud, "ConfigMap", "restore-test")["data"]["reader.json"])["spec"]["template"]["spec"]


def test_everything_is_copied_at_two_and_kept_for_thirty_days(cloud: Cloud) -> None:
    daily = spec(build(cloud, SERVICES), "Schedule", "daily")
    assert daily["schedule"] == "0 2 * * *"
    template = daily["template"]
    assert template["ttl"] == "720h0m0s"
    assert template["includedNamespaces"] == ["*"]
    assert template["includeClusterResources"] is template["snapshotMoveData"] is True
    assert not {"excludedNamespaces", "excludedResources", "paused"} & ({*template} | {*daily})
    assert values(cloud)["configuration"]["defaultBackupTTL"] == "720h"


@pytest.mark.parametrize(
    ("hour", "before", "after"), [(0, "30 23 * * *", "0 3 * * *"), (23, "30 22 * * *", "0 2 * * *")]
)
def test_the_canary_writes_before_and_the_test_comes_after(cloud: Cloud, hour: int, before: str, after: str) -> None:
    build(cloud, {**SERVICES, "backup": {"hour": hour, "retention_days": 7}})
    assert spec(cloud, "Schedule", "daily")["schedule"] == f"0 {hour} * * *"
    assert spec(cloud, "Schedule", "daily")["template"]["ttl"] == "168h0m0s"
    assert spec(cloud, "CronJob", "canary")["schedule"] == before
    assert spec(cloud, "CronJob", "restore-test")["schedule"] == after
    assert {each["spec"]["timeZone"] for each in objects(cloud, "CronJob")} == {"Etc/UTC"}


@pytest.mark.parametrize(
    ("where", "config"),
    [
        ("aws", {"region": "us-east-1"}),
        ("gcp", {"serviceAccount": "velero/velero"}),
        (
            "azure",
            {
                "storageAccount": "objabcdef",
                "storageAccountURI": "https://objabcdef.blob.core.windows.net",
                "useAAD": "true",
            },
        ),
    ],
)
@needs_shared
def test_the_bucket_is_told_in_the_words_of_the_cloud(cloud: Cloud, where: str, config: dict[str, str]) -> None:
    build(cloud, SERVICES, where)
    (place,) = values(cloud)["configuration"]["backupStorageLocation"]
    assert (place["provider"], place["bucket"], place["config"]) == (where, "backups-0123456", config)
    assert (place["default"], place["accessMode"], place["prefix"]) == (True, "ReadWrite", "aws-eu-west-1")
    (plugin,) = values(cloud)["initContainers"]
    assert f"-{'microsoft-' if where == 'azure' else ''}{where}:v1.14." in plugin["image"]
    assert list(tool("check_values").Chart("velero", str(SHARED / "charts")).check(values(cloud))) == []


def test_volumes_are_snapshotted_by_the_cloud_s_driver_and_moved_away(cloud: Cloud) -> None:
    how = named(build(cloud, SERVICES), "VolumeSnapshotClass", "velero")
    assert (how["driver"], how["deletionPolicy"]) == ("ebs.csi.aws.com", "Delete")
    assert how["metadata"]["labels"] == {"velero.io/csi-volumesnapshot-class": "true"}
    held = values(cloud)
    assert (held["deployNodeAgent"], held["snapshotsEnabled"]) == (True, False)
    assert held["configuration"]["defaultSnapshotMoveData"] is True
    told = json.loads(named(cloud, "ConfigMap", "node-agent-config")["data"]["node-agent-config.json"])
    assert told["loadConcurrency"] == {"globalConfig": 1, "prepareQueueLength": 8}
    assert held["nodeAgent"]["extraArgs"] == ["--node-agent-configmap=node-agent-config"]
    (quota,) = (each for each in objects(cloud, "ResourceQuota") if each["metadata"]["namespace"] == "velero")
    assert int(quota["spec"]["hard"]["pods"]) > 200, "an agent and a copy on each of a hundred nodes"


def test_nothing_is_root_or_of_the_node_and_no_secret_is_known_to_everybody(cloud: Cloud) -> None:
    held = values(build(cloud, SERVICES))
    assert held["nodeAgent"]["disableHostPath"] is True
    assert held["credentials"] == {"useSecret": False}
    for part in (held, held["nodeAgent"]):
        assert part["podSecurityContext"]["runAsNonRoot"] is True
        assert part["podSecurityContext"]["runAsUser"] > 0
        assert part["containerSecurityContext"]["capabilities"] == {"drop": ["ALL"]}
    password = spec(cloud, "ExternalSecret", "velero-repo-credentials")
    assert password["data"][0]["secretKey"] == "repository-password"
    assert objects(cloud, "Secret") == []


def test_pods_of_the_test_are_closed_and_their_images_named(cloud: Cloud) -> None:
    found = list(pods(build(cloud, SERVICES)))
    assert len(found) == 3
    for pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert re.fullmatch(r"[a-z0-9.]+\.[a-z]+/[a-z/]+:v?\d+\.\d+\.\d+", container["image"])
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"]["memory"]


def test_the_steps_are_single_calls_in_an_order_that_proves_something(cloud: Cloud) -> None:
    """Emptied before it is restored, restored before it is compared, and no shell that could lose a failure."""
    build(cloud, SERVICES)
    pod = spec(cloud, "CronJob", "restore-test")["jobTemplate"]["spec"]["template"]["spec"]
    steps = [*pod["initContainers"], *pod["containers"]]
    assert [each["name"] for each in steps] == [name for name, _ in STEPS]
    assert all(each["command"][0] == "/bin/kubectl" for each in steps)
    assert pod["restartPolicy"] == "Never"
    assert spec(cloud, "CronJob", "restore-test")["jobTemplate"]["spec"]["backoffLimit"] == 0
    verbs = [each["command"][1] for each in steps]
    assert verbs == ["delete"] * 3 + ["create"] * 2 + ["wait"] * 3 + ["delete"] * 3
    said = named(cloud, "ConfigMap", "canary")["data"]["proof"]
    assert said == TOKEN
    (compared,) = (each["command"] for each in steps if each["name"] == "settings")
    assert f"--for=jsonpath={{.data.proof}}={said}" in compared
    held = {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
    files = {part.partition("/orders/")[2] for each in steps for part in each["command"] if "/orders/" in part}
    assert files == set(named(cloud, "ConfigMap", held.pop())["data"])


def test_the_test_may_do_its_steps_and_nothing_else(cloud: Cloud) -> None:
    build(cloud, SERVICES)
    allowed: set[tuple[str, str, str]] = set()
    for role in objects(cloud, "Role"):
        for rule in role["rules"]:
            allowed |= {
                (role["metadata"]["namespace"], kind, verb) for kind in rule["resources"] for verb in rule["verbs"]
            }
    assert objects(cloud, "ClusterRole") == objects(cloud, "ClusterRoleBinding") == []
    needed = {
        *(("velero", "restores", verb) for verb in ("create", "delete", "get", "list", "watch")),
        *(("velero-restored", "jobs", verb) for verb in ("create", "delete", "get", "list", "watch")),
        *(
            ("velero-restored", kind, verb)
            for kind in ("configmaps", "persistentvolumeclaims", "pods")
            for verb in ("delete", "get", "list", "watch")
        ),
    }
    assert allowed == needed
    for binding in objects(cloud, "RoleBinding"):
        assert [each["name"] for each in binding["subjects"]] == ["restore-test"]


@needs_shared
def test_the_order_is_a_restore_of_the_newest_whole_backup(cloud: Cloud) -> None:
    build(cloud, SERVICES)
    told = json.loads(named(cloud, "ConfigMap", "restore-test")["data"]["restore.json"])
    assert told == order()
    assert told["spec"]["scheduleName"] == named(cloud, "Schedule", "daily")["metadata"]["name"]
    assert "backupName" not in told["spec"]
    assert told["spec"]["namespaceMapping"] == {"velero-canary": "velero-restored"}
    assert {"jobs.batch", "cronjobs.batch", "pods"} <= set(told["spec"]["excludedResources"]), "they would write again"
    assert list(tool("check_crds").Catalogue(str(SHARED / "crds"), [told]).check(told)) == []


def run(script: str, folder: Path) -> int:
    """Run what a pod runs, with a folder in place of its volume; the shell is this machine's."""
    shell = shutil.which("sh")
    assert shell is not None
    return subprocess.run(
        [shell, "-c", script.replace("/data", str(folder))], capture_output=True, check=False
    ).returncode


def test_what_was_written_is_read_and_anything_else_is_not(tmp_path: Path) -> None:
    assert run(READ, tmp_path) != 0, "nothing was ever written"
    assert run(WRITE, tmp_path) == 0
    assert run(READ, tmp_path) == 0
    payload, written = tmp_path / "payload", tmp_path / "written"
    assert payload.stat().st_size == 1024 * 1024
    good = payload.read_bytes()
    payload.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert run(READ, tmp_path) != 0, "one bit is another one"
    payload.write_bytes(good)
    written.write_text(str(int(written.read_text()) - 3 * 86400))
    assert run(READ, tmp_path) != 0, "it is of a backup of three days ago"
    payload.unlink()
    assert run(READ, tmp_path) != 0
