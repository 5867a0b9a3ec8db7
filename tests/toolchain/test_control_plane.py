import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from toolchain.build import PROJECT
from toolchain.cluster import ControlPlane, ControlPlaneError
from toolchain.cluster.recipe import PROGRAMS, recipe

pytestmark = pytest.mark.cluster

WORKLOAD = """
apiVersion: v1
kind: Node
metadata: {name: sized, labels: {pool: general}}
status: {capacity: {cpu: "8", memory: 32Gi, pods: "58"}, allocatable: {cpu: 7910m, memory: 29Gi, pods: "58"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway, namespace: rollout}
spec:
  replicas: 3
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec: {containers: [{name: gateway, image: example.org/gateway, resources: {requests: {cpu: "2"}}}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migration, namespace: rollout}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: migration, image: example.org/migration}]}}}
"""


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def test_all_programs_are_built() -> None:
    assert {path.name for path in (recipe().folder / "bin").iterdir()} == set(PROGRAMS)


def test_a_namespace_is_made_and_its_deletion_ends(control_plane: ControlPlane) -> None:
    control_plane.kubectl("create", "namespace", "short-lived")
    control_plane.kubectl("create", "configmap", "held", "--namespace=short-lived", "--from-literal=a=b")

    control_plane.kubectl("delete", "namespace", "short-lived", "--timeout=60s")

    names = json.loads(control_plane.kubectl("get", "namespaces", "--output=json"))
    assert "short-lived" not in {item["metadata"]["name"] for item in names["items"]}


def test_a_foreground_delete_ends(control_plane: ControlPlane) -> None:
    control_plane.kubectl("create", "deployment", "held", "--image=example.org/held")
    control_plane.kubectl("delete", "deployment", "held", "--cascade=foreground", "--timeout=30s")


def test_the_version_is_the_one_of_the_module(control_plane: ControlPlane) -> None:
    said = json.loads(control_plane.kubectl("version", "--output=json"))
    assert said["serverVersion"]["gitVersion"] == said["clientVersion"]["gitVersion"] == "v1.36.3"


def test_a_quota_is_counted(control_plane: ControlPlane) -> None:
    control_plane.kubectl("create", "namespace", "counted")
    control_plane.kubectl("create", "quota", "limits", "--namespace=counted", "--hard=configmaps=5")
    control_plane.kubectl(
        "wait", "quota/limits", "--namespace=counted", "--for=jsonpath={.status.hard.configmaps}=5", "--timeout=30s"
    )


def test_strangers_are_refused(control_plane: ControlPlane) -> None:
    with pytest.raises(ControlPlaneError, match=r"Unauthorized|provide credentials|must be logged in"):
        control_plane.kubectl("get", "namespaces", "--token=wrong")


def test_only_loopback_listens_and_the_secrets_are_private(control_plane: ControlPlane) -> None:
    listening = {
        connection.laddr.ip
        for process in descendants(os.getpid())
        if process.name() in PROGRAMS
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    assert control_plane.folder.stat().st_mode & 0o077 == 0


def test_kwok_and_the_scheduler_bring_a_deployment_to_life_beside_another_plane(control_plane: ControlPlane) -> None:
    with ControlPlane(scheduler=True, kwok=True) as living:
        assert living.server != control_plane.server
        living.kubectl("create", "namespace", "rollout")
        living.kubectl("apply", "-f", "-", stdin=WORKLOAD)
        living.kubectl("rollout", "status", "deployment/gateway", "--namespace=rollout", "--timeout=60s")
        living.kubectl("wait", "job/migration", "--namespace=rollout", "--for=condition=complete", "--timeout=60s")
        node = json.loads(living.kubectl("get", "node", "sized", "--output=json"))
        assert node["status"]["allocatable"]["cpu"] == "7910m"
        with pytest.raises(ControlPlaneError, match="NotFound"):
            control_plane.kubectl("get", "namespace", "rollout")
        processes, folder = (
            [p for p in descendants(os.getpid()) if p.name() in {"kwok", "kube-scheduler"}],
            living.folder,
        )
        assert len(processes) == 2

    assert not any(process.is_running() for process in processes)
    assert not folder.exists()


def test_nothing_outlives_a_parent_that_is_killed() -> None:
    command = [sys.executable, "-m", "toolchain.cluster", "run", "--seconds", "300"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        kubeconfig = Path(parent.stdout.readline().strip())
        assert kubeconfig.is_file()
        family = descendants(parent.pid)
        assert {"etcd", "kube-apiserver"} <= {process.name() for process in family}
        parent.kill()

    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert not kubeconfig.parent.exists()


def test_nothing_outlives_its_keeper() -> None:
    with ControlPlane() as plane:
        (keeper,) = [p for p in descendants(os.getpid()) if str(plane.folder) in p.cmdline() and p.children()]
        programs = keeper.children()
        keeper.kill()
        _, alive = psutil.wait_procs(programs, timeout=10)
        assert alive == []


def test_a_program_whose_keeper_died_before_it_began_never_begins() -> None:
    begun = f"from toolchain.cluster.keeper import die_with; die_with({os.getpid()}); print('begun')"
    orphaned = begun.replace(f"({os.getpid()})", "(1 << 30)")
    for code, said in ((begun, "begun\n"), (orphaned, "")):
        done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=False)
        assert (done.stdout, done.returncode) == (said, 0 if said else 1)


def test_interrupting_the_command_stops_it_quietly() -> None:
    command = [sys.executable, "-m", "toolchain.cluster", "run"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=PROJECT, text=True, **pipes) as parent:
        assert parent.stdout is not None
        kubeconfig = Path(parent.stdout.readline().strip())
        parent.send_signal(signal.SIGINT)
        _, said = parent.communicate(timeout=30)
    assert (parent.returncode, said) == (0, "")
    assert not kubeconfig.parent.exists()


def test_a_start_that_fails_names_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolchain.cluster.programs.SERVICE_CIDR", "nonsense")
    plane = ControlPlane()
    with pytest.raises(ControlPlaneError, match=r"kube-apiserver ended with code 1 .* its log: .*kube-apiserver\.log"):
        plane.start()
    assert "not a valid cidr" in plane.log("kube-apiserver").read_text()
    assert {path.suffix for path in plane.folder.iterdir()} == {".log"}  # no secret is left
    shutil.rmtree(plane.folder)


def test_ports_are_free_again_after_stop() -> None:
    with ControlPlane() as plane:
        port = int(plane.server.rpartition(":")[2])
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
