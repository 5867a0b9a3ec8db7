"""A control plane per cluster of the stage: when it starts, what it keeps, when it goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import grpc
import psutil
import pytest

from sandbox.drift import DELETED, plant
from sandbox.kubernetes.api_server import ApiServers
from sandbox.kubernetes.clouds import CLUSTERS
from sandbox.state import Database, Stored, Thing, count_left
from tests.sandbox.kubernetes.objects import CONFIG_MAP, NAMESPACE, named
from tests.sandbox.kubernetes.port import Port
from tests.sandbox.kubernetes.served import served

pytestmark = pytest.mark.cluster
HOST = "abc.gr7.eu-west-1.eks.amazonaws.com"
EXEC = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "false"}}


def kubeconfig(host: str = HOST) -> str:
    return json.dumps(
        {
            "clusters": [{"name": "c", "cluster": {"server": f"https://{host}", "certificate-authority-data": "QQ=="}}],
            "users": [{"name": "u", "user": EXEC}],  # never run
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )


@contextmanager
def stage(state: Path) -> Iterator[tuple[Database, ApiServers, Port]]:
    """One process's life over a state directory."""
    database = Database(state / "clouds.sqlite")
    backend = ApiServers(state, database)
    with served(backend, database) as address:
        port = Port(address, {"kubeconfig": kubeconfig()}, "default")
        yield database, backend, port
        port.close()
    database.close()


def planes() -> int:
    return sum(child.name() == "kube-apiserver" for child in psutil.Process().children(recursive=True))


def test_a_plane_lives_as_long_as_its_cluster(tmp_path: Path) -> None:
    before = planes()
    with stage(tmp_path) as (database, _, port):
        with pytest.raises(grpc.RpcError, match=r"unreachable.*no such host"):
            port.create(CONFIG_MAP, "early", named("early"))
        cluster = Thing(
            "aws", CLUSTERS[0], "prod", "urn", 1, "1", "eu-west-1", "prod", {}, {"endpoint": f"https://{HOST}"}
        )
        database.add(cluster, Stored(handles=[HOST]))
        assert planes() == before  # nobody used it yet
        with ThreadPoolExecutor(8) as pool:  # many at once start one plane
            made = list(pool.map(lambda n: port.create(CONFIG_MAP, f"m{n}", named(f"m{n}", data={"a": "b"})), range(8)))
        assert planes() == before + 1
        assert count_left(database.path) == 9
    assert planes() == before

    with stage(tmp_path) as (database, backend, port):
        assert planes() == before
        seen = port.refresh(made[0])
        assert seen is not None
        assert seen.outputs["metadata"]["uid"] == made[0].outputs["metadata"]["uid"]
        assert seen.inputs == made[0].inputs

        (planted,) = plant(database.path, CONFIG_MAP, "default/m0", "data.a")
        drifted = port.refresh(made[0])
        assert drifted is not None
        assert drifted.inputs["data"] == {"a": planted.after} != made[0].inputs["data"]
        plant(database.path, CONFIG_MAP, "default/m1", DELETED)
        assert port.refresh(made[1]) is None

        outer = port.create(NAMESPACE, "n", named("n"))
        port.remove(outer)  # its controller runs

        database.remove(database.by_handle(CLUSTERS, HOST)[0])
        backend.cluster_gone(HOST)
        with pytest.raises(grpc.RpcError, match=r"unreachable.*no such host"):
            port.refresh(made[0])
    assert planes() == before
    assert list((tmp_path / "planes").iterdir()) == []


def test_data_of_a_cluster_that_went_meanwhile_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "planes" / HOST / "etcd").mkdir(parents=True)
    with stage(tmp_path):
        pass
    assert list((tmp_path / "planes").iterdir()) == []
