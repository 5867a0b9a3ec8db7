"""Every kind of fault, and the client layer in front of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2

from sandbox.faults import BadPlan, Plan, read_plan
from sandbox.server import Sandbox, SandboxFailed
from sandbox.stage import CRASH_CODE
from sandbox.state import count_left
from sandbox.wire import decode, encode
from tests.sandbox.engine import Engine

Play = Callable[..., tuple[Sandbox, Engine]]
VPC = "aws:ec2/vpc:Vpc"
NET = {"cidrBlock": "10.0.0.0/16"}
QUICK = {"attempts": 4, "first_seconds": 0.01, "max_seconds": 0.02}


def plan(do: str, times: int | str = "forever", **more: Any) -> dict[str, Any]:
    match = {"operation": "create", "type": VPC, **more.pop("match", {})}
    return {"retry": QUICK, "faults": [{"do": do, "times": times, "match": match, **more}]}


def refused(call: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as problem:
        call()
    return problem.value.code(), str(problem.value.details())  # type: ignore[attr-defined]


def test_throttling_a_few_times_is_ridden_out(play: Play) -> None:
    sandbox, aws = play(plan("throttle", 3))
    assert aws.create(VPC, "net", NET).id
    assert sandbox.left() == 1


def test_throttling_for_ever_ends_with_names_and_a_hint(play: Play) -> None:
    sandbox, aws = play(plan("throttle"))
    code, text = refused(lambda: aws.create(VPC, "net", NET))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    for words in ("ThrottlingException", aws.urn(VPC, "net"), "ec2", "eu-west-1", "4 attempts", "--parallel"):
        assert words in text
    assert sandbox.left() == 0


def test_server_errors_before_anything_happened_are_retried(play: Play) -> None:
    sandbox, aws = play(plan("error", 2))
    aws.create(VPC, "net", NET)
    assert sandbox.left() == 1


def test_a_reset_leaves_a_create_unknown_and_the_thing_behind(play: Play) -> None:
    sandbox, aws = play(plan("reset", 1))
    code, text = refused(lambda: aws.create(VPC, "net", NET))
    assert (code, "connection reset" in text) == (grpc.StatusCode.UNKNOWN, True)
    assert sandbox.left() == 1


def test_a_reset_of_what_may_be_sent_twice_is_retried(play: Play) -> None:
    _, aws = play(plan("reset", 1, match={"operation": "read"}))
    made = aws.create(VPC, "net", NET)
    assert aws.read(made)[0] == made.id


def test_the_nth_create_fails_and_no_other(play: Play) -> None:
    sandbox, aws = play(
        plan("fail", match={"nth": 2}, code="VpcLimitExceeded", message="The maximum number of VPCs has been reached.")
    )
    aws.create(VPC, "one", NET)
    code, text = refused(lambda: aws.create(VPC, "two", NET))
    assert (code, text) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "VpcLimitExceeded: The maximum number of VPCs has been reached.",
    )
    aws.create(VPC, "three", NET)
    assert sandbox.left() == 2


def test_every_and_from_call_and_patterns_select(play: Play) -> None:
    _, aws = play({"faults": [
        {"do": "fail", "match": {"urn": "*::bad-*"}},
        {"do": "fail", "match": {"type": "aws:ec2/*", "operation": "create", "every": 3}}]})  # fmt: skip
    refused(lambda: aws.create(VPC, "bad-1", NET))
    aws.create(VPC, "a", NET)
    aws.create(VPC, "b", NET)
    refused(lambda: aws.create(VPC, "c", NET))


@pytest.mark.parametrize(
    ("package", "code"),
    [("aws", "ExpiredToken"), ("gcp", "invalid_grant"), ("azure-native", "ExpiredAuthenticationToken")],
)
def test_credentials_expire_from_a_call_on(play: Play, package: str, code: str) -> None:
    names = {"aws": "aws:index/getCallerIdentity:getCallerIdentity", "gcp": "gcp:organizations/getClientConfig:getClientConfig",  # noqa: E501 - one message, one line
             "azure-native": "azure-native:authorization:getClientConfig"}  # fmt: skip
    _, engine = play({"faults": [{"do": "expired", "match": {"cloud": package, "from_call": 2}}]}, package)
    engine.invoke(names[package])
    status, text = refused(lambda: engine.invoke(names[package]))
    assert (status, text.startswith(code)) == (grpc.StatusCode.UNAUTHENTICATED, True)


def test_a_quota_is_refused_for_good(play: Play) -> None:
    _, aws = play(plan("quota"))
    code, text = refused(lambda: aws.create(VPC, "net", NET))
    assert (code, text.partition(":")[0]) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "ResourceLimitExceeded")


def test_created_but_not_initialised_carries_the_state(play: Play) -> None:
    sandbox, aws = play(plan("uninitialised", message="the gateway never came up"))
    with pytest.raises(grpc.RpcError) as problem:
        aws.create(VPC, "net", NET)
    metadata = dict(problem.value.trailing_metadata())  # type: ignore[attr-defined]
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert list(detail.reasons) == ["the gateway never came up"]
    assert detail.id.startswith("vpc-")
    assert decode(detail.properties).values["cidrBlock"] == "10.0.0.0/16"
    assert sandbox.left() == 1


def test_latency_takes_time_and_nothing_else(play: Play) -> None:
    _, aws = play(plan("latency", 1, seconds=0.3))
    began = time.monotonic()
    aws.create(VPC, "net", NET)
    assert time.monotonic() - began >= 0.3


def test_a_hang_ends_with_the_engines_cancel(play: Play) -> None:
    _, aws = play(plan("hang", seconds=600))
    checked, _ = aws.check(VPC, "net", NET)
    call = aws.stub.Create.future(
        provider_pb2.CreateRequest(urn=aws.urn(VPC, "net"), type=VPC, name="net", properties=encode(checked))
    )
    with pytest.raises(grpc.FutureTimeoutError):
        call.result(timeout=0.5)
    aws.close()
    with pytest.raises((grpc.RpcError, grpc.FutureCancelledError)):
        call.result(timeout=10)


@pytest.mark.parametrize(("do", "left"), [("crash_before", 0), ("crash_after", 1)])
def test_a_crash_ends_the_process_before_or_after_the_create(play: Play, do: str, left: int) -> None:
    sandbox, aws = play(plan(do, 1))
    code, _ = refused(lambda: aws.create(VPC, "net", NET))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert sandbox.process is not None
    assert sandbox.process.wait(timeout=10) == CRASH_CODE
    assert count_left(sandbox.database) == left
    _, again = play(plan(do, 1), state=sandbox.state_dir)  # counters outlive the process: this fault is over
    again.create(VPC, "net", NET)
    assert count_left(sandbox.database) == left + 1


def test_the_wrong_account_project_and_subscription_are_visible(play: Play) -> None:
    _, gcp = play({"accounts": {"gcp": "other-project"}, "project_numbers": {"other-project": "42"}}, "gcp")
    found = gcp.invoke("gcp:organizations/getProject:getProject", projectId="example-dev")
    assert (found["projectId"], found["number"]) == ("other-project", "42")


def test_the_clock_is_the_plans(play: Play) -> None:
    _, gcp = play({"clock": "2031-02-03T04:05:06Z"}, "gcp")
    assert (
        gcp.create("gcp:compute/address:Address", "a", {"region": "europe-west1"}).outputs["creationTimestamp"]
        == "2031-02-03T04:05:06Z"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("faults: [{do: explode}]", "faults.0.do"),
        ("faults: [{do: throttle, times: 0}]", "faults.0.times"),
        ("faults: [{do: throttle, match: {cloud: ibm}}]", "faults.0.match.cloud"),
        ("fautls: []", "fautls"),
        ("retry: {attempts: many}", "retry.attempts"),
        ("a: [", "is no YAML"),
    ],
)
def test_a_bad_plan_is_refused_with_its_paths(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)
    with pytest.raises(BadPlan, match=words.replace(".", r"\.")) as problem:
        read_plan(file)
    assert str(file) in str(problem.value)
    with pytest.raises(SandboxFailed, match="code 2"):
        Sandbox(tmp_path / "stage", file).start()


def test_no_plan_and_an_empty_one_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    assert read_plan(None) == read_plan(tmp_path / "empty.yaml") == Plan()
    with pytest.raises(BadPlan, match="cannot be read"):
        read_plan(tmp_path / "missing.yaml")
