"""The process around the clouds: ports, peers, marks, ends, drift, the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.drift import NothingToDrift, plant
from sandbox.server import PROJECT, Sandbox
from sandbox.state import count_left, lift_deletion_protection, list_left
from sandbox.wire import Properties, carry, decode, encode, show
from tests.sandbox.engine import Engine

VPC = "aws:ec2/vpc:Vpc"
NET = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": True}


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *words], capture_output=True, text=True, check=False, cwd=PROJECT, timeout=60
    )


def test_one_process_serves_five_ports_and_says_so(stage: Sandbox) -> None:
    assert set(stage.endpoints) == {"aws", "gcp", "azure-native", "cloudflare", "kubernetes"}
    note = json.loads((stage.state_dir / "endpoints.json").read_text())
    assert note["providers"] == stage.endpoints
    assert stage.process is not None
    assert note["pid"] == stage.process.pid


def test_no_sdk_of_a_cloud_is_imported_by_the_server() -> None:
    code = "import sys, sandbox.serve; print([name for name in sys.modules if name.startswith('pulumi_')])"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT, timeout=60
    )
    assert found.stdout.strip() == "[]"


def test_configurations_carry_the_mark_and_it_never_counts(connect: Callable[..., Engine]) -> None:
    aws = connect("aws")
    assert aws.marked["ecosystemSandbox"] == "offline"
    unmarked = {key: item for key, item in aws.marked.items() if key != "ecosystemSandbox"}
    same = aws.stub.DiffConfig(provider_pb2.DiffRequest(urn="u", old_inputs=encode(aws.marked), news=encode(unmarked)))
    assert same.changes == provider_pb2.DiffResponse.DIFF_NONE
    other = aws.stub.DiffConfig(
        provider_pb2.DiffRequest(
            urn="u", old_inputs=encode(aws.marked), news=encode(unmarked | {"region": "us-east-1"})
        )
    )
    assert list(other.diffs) == ["region"]
    assert not other.replaces, "each resource has its own region"


def test_each_connection_is_an_instance_of_its_own_and_cancel_ends_only_that(connect: Callable[..., Engine]) -> None:
    one, two = connect("aws"), connect("aws", {"region": "us-east-1"})
    assert ":us-east-1:" in two.create(VPC, "two", NET).outputs["arn"]
    one.stub.Cancel(empty_pb2.Empty())
    with pytest.raises(grpc.RpcError, match="not configured"):
        one.check(VPC, "one", NET)
    two.check(VPC, "two", NET)


def test_what_was_never_made_is_not_found(connect: Callable[..., Engine]) -> None:
    aws = connect("aws")
    made = aws.create(VPC, "net", NET)
    made.id = "vpc-0123456789abcdef0"
    assert aws.read(made)[0] == ""
    with pytest.raises(grpc.RpcError, match="NotFound"):
        aws.update(made, NET)


def test_state_outlives_the_process_and_is_imported_with_inputs(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as first:
        made = Engine(first.endpoints["aws"], "aws").create(VPC, "net", {**NET, "tags": {"a": "b"}})
    with Sandbox(tmp_path) as second:
        made.inputs = {}
        id_, inputs, outputs = Engine(second.endpoints["aws"], "aws").read(made)
    assert (id_, inputs["tags"], outputs["arn"]) == (made.id, {"a": "b"}, made.outputs["arn"])


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_the_process_ends_and_leaves_nobody(tmp_path: Path, end: str) -> None:
    sandbox = Sandbox(tmp_path).start()
    assert sandbox.process is not None
    process = psutil.Process(sandbox.process.pid)
    getattr(process, end)()
    sandbox.process.wait(timeout=10)
    sandbox.stop()
    assert not process.is_running()
    assert (tmp_path / "server.log").read_text() == ""


def test_it_follows_the_process_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sandbox.server import Sandbox; "
        "s = Sandbox(Path(sys.argv[1])).start(); print(s.process.pid)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=PROJECT, timeout=60
    )
    psutil.wait_procs([psutil.Process(int(found.stdout))] if psutil.pid_exists(int(found.stdout)) else [], timeout=15)
    assert not psutil.pid_exists(int(found.stdout))


def test_planted_drift_shows_in_the_inputs_of_a_read(connect: Callable[..., Engine], stage: Sandbox) -> None:
    aws = connect("aws")
    made = aws.create(VPC, "drifting", NET)
    (planted,) = plant(stage.database, VPC, made.id)
    assert (planted.path, planted.before, planted.after) == ("enableDnsSupport", True, False)
    id_, inputs, outputs = aws.read(made)
    assert (id_, inputs["enableDnsSupport"], outputs["enableDnsSupport"]) == (made.id, False, False)
    plant(stage.database, VPC, made.id, "(deleted)")
    assert aws.read(made)[0] == ""
    with pytest.raises(NothingToDrift):
        plant(stage.database, VPC, made.id)


def test_protection_is_lifted_in_the_database(play: Callable[..., tuple[Sandbox, Engine]]) -> None:
    sandbox, gcp = play({}, "gcp")
    made = gcp.create("gcp:container/cluster:Cluster", "kept", {"location": "europe-west1", "initialNodeCount": 1})
    with pytest.raises(grpc.RpcError, match="deletion_protection"):
        gcp.delete(made)
    assert lift_deletion_protection(sandbox.database) == 1
    gcp.delete(made)
    assert count_left(sandbox.database) == 0


def test_the_command_line(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as sandbox:
        made = Engine(sandbox.endpoints["aws"], "aws").create(VPC, "net", NET)
        assert run("reset", "--state", str(tmp_path)).returncode == 2
        left = run("left", "--state", str(tmp_path))
        assert (left.returncode, left.stdout.split("\t")[:2]) == (5, [VPC, made.id])
        drift = run("drift", "--state", str(tmp_path), "--type", VPC)
        assert json.loads(drift.stdout)[0]["path"] == "enableDnsSupport"
        nothing = run("drift", "--state", str(tmp_path), "--type", "aws:no:No")
        assert (nothing.returncode, "does not exist" in nothing.stderr) == (2, True)
    assert list_left(sandbox.database)[0][0] == VPC
    assert run("reset", "--state", str(tmp_path)).returncode == 0
    assert run("left", "--state", str(tmp_path)).returncode == 0
    bad = tmp_path / "bad.yaml"
    bad.write_text("faults: 3")
    assert run("faults", str(bad)).returncode == 2


def test_values_go_over_the_wire_and_back() -> None:
    values = {"a": [1, 2.5, True, None, {"b": "c"}], "d": {}, "e": [], "f": "x"}
    secrets = frozenset({("a", 4, "b"), ("f",)})
    assert decode(encode(values, secrets)) == Properties(values, secrets)
    assert carry(frozenset({("a", 9)}), values) == frozenset({("a",)})
    assert show(("spec", "c", 0, "a.b/c")) == 'spec.c[0]["a.b/c"]'
