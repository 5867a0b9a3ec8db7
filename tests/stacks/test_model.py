"""The model itself: closed, immutable, discreet, explained; and the names and tags made of it."""

from __future__ import annotations

import copy
import json
import pickle
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from stacks.explain import explain, main
from stacks.fields import every_key
from stacks.load import read_file
from stacks.model import NodePool, Stack, Workload
from stacks.names import agent_pool_stem
from stacks.plaintext import find_secrets, mask, secret_form
from stacks.tags import common_tags
from stacks.versions import SOURCES, SUPPORTED, minor
from tests.stacks.corpus import FILES, OWN, PROJECT

STACK = read_file(FILES / "happy.overrides.yaml")


def test_a_stack_does_not_change() -> None:
    with pytest.raises(ValidationError):
        STACK.owner = "somebody"  # type: ignore[misc]
    with pytest.raises(TypeError, match="immutable"):
        STACK.clusters.pools["new"] = NodePool(min=1, max=1)  # type: ignore[index]
    assert copy.deepcopy(STACK) == pickle.loads(pickle.dumps(STACK)) == STACK
    assert Stack.model_validate_json(STACK.model_dump_json()) == STACK
    assert hash(STACK) == hash(copy.deepcopy(STACK))


def test_a_stack_made_by_hand_is_judged_as_well() -> None:
    data = STACK.model_dump(mode="json")
    data["workloads"][0]["pools"] = ["nowhere"]
    with pytest.raises(ValidationError, match=r"workloads\.0\.pools\.0: is not a pool of"):
        Stack.model_validate_json(json.dumps(data))


def test_an_error_never_repeats_its_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Workload(name="hunter2 hunter2", cpu="1", memory="1Gi", replicas=1, pools=("a",))
    assert "hunter2" not in str(caught.value)


def test_what_a_cluster_is() -> None:
    assert STACK.cluster_names() == ("aws-eu-west-1", "gcp-europe-west1", "azure-westeurope")
    assert STACK.region_of("aws-eu-west-1")[:2] == ("aws", "eu-west-1")
    assert (STACK.cluster_version("aws-eu-west-1"), STACK.cluster_version("gcp-europe-west1")) == ("1.35", "1.34")
    assert "accel" in STACK.cluster_pools("aws-eu-west-1")
    assert "accel" not in STACK.cluster_pools("azure-westeurope")
    assert STACK.cluster_channel("aws-eu-west-1") == "regular"
    with pytest.raises(KeyError):
        STACK.region_of("aws-mars")


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_tags_fit_every_cloud(path: Path) -> None:
    tags = common_tags(read_file(path))
    assert sorted(tags) == [
        "charter-version",
        "cost-centre",
        "data-classification",
        "environment",
        "managed-by",
        "owner",
    ]
    assert all(re.fullmatch(r"[a-z0-9_-]{1,63}", value) for value in tags.values())


def test_environments_differ_in_their_files_only() -> None:
    code = "\n".join(path.read_text() for path in (PROJECT / "stacks").rglob("*.py"))
    assert not re.findall(r"==\s*[\"'](dev|staging|prod|dr)[\"']", code)


def test_each_own_stack_has_its_part_of_the_block() -> None:
    shares = {path.name: read_file(path).addresses for path in OWN}
    assert sorted(addresses.share.index for addresses in shares.values()) == [0, 1, 2, 3]
    assert {(str(a.block), a.share.of) for a in shares.values()} == {("10.0.0.0/8", 4)}


@given(st.from_regex(r"\A[a-z]([a-z0-9-]{0,38}[a-z0-9])?\Z"))
def test_agent_pool_names_fit(pool: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]{0,10}", agent_pool_stem(pool))


def test_own_pool_names_are_whole_on_aks_with_room_for_a_generation() -> None:
    names = {name for path in OWN for name in read_file(path).clusters.pools}
    assert all(len(name) <= 7 and name.isalnum() for name in names)


def test_the_table_of_versions_has_sources_and_falls_off_in_order() -> None:
    for cloud, rows in SUPPORTED.items():
        assert SOURCES[cloud].startswith("https://")
        assert [minor(row.version) for row in rows] == sorted(minor(row.version) for row in rows)


@pytest.mark.parametrize("key", every_key(Stack))
def test_every_key_is_explained(key: str) -> None:
    title, description, kind, *_ = explain(key).splitlines()
    assert title == key
    assert len(description.strip()) > 10, "write a sentence below the field"
    assert kind.startswith("  type: ")


def test_explain_names_default_limits_and_example() -> None:
    assert explain("clusters.pools.general.slots").splitlines() == [
        "clusters.pools.general.slots",
        "  Node pools of one instance type each that fulfil the wish.",
        "  type: whole number",
        "  allowed: at least 1; at most 5",
        "  default: 3",
    ]
    assert '  example: `version: "1.34"`' in explain("stack.clusters.defaults.version")
    assert "eu-west-1, us-east-1, us-west-2" in explain("clouds.aws.regions")
    assert explain("workloads[0].cpu").splitlines()[1:] == explain("workloads.0.cpu").splitlines()[1:]
    with pytest.raises(ValueError, match=r"did you mean `clusters\.pools\.NAME\.slots`"):
        explain("clusters.pools.general.slot")


def test_explain_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "clusters.pools.NAME.slots" in capsys.readouterr().out
    assert main(["owner", "ownr"]) == 2
    streams = capsys.readouterr()
    assert streams.out.startswith("owner\n")
    assert "did you mean `owner`" in streams.err


@pytest.mark.parametrize(
    "text",
    ["AKIAIOSFODNN7EXAMPLE", "-----BEGIN EC PRIVATE KEY-----", "ghp_" + "a1B2" * 9, "glpat-abcdefghij0123456789",
     "xoxb-1234567890-abc", "AIza" + "aB3_-" * 7, "https://u:p4ss@host", "eyJhbGciOiJI.eyJzdWIiOiIx",
     "password=hunter2", "123456789:AAbbCCddEEffGGhhIIjjKKllMMnnOOppQQr", "pul-" + "0a" * 20,
     "0123456789abcdef0123456789abcdef",
     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AccountKey=" + "aB3/" * 8,
     "projects/example/secrets/wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"],
)  # fmt: skip
def test_forms_of_secrets(text: str) -> None:
    assert secret_form(text)
    assert mask(text) == "***"


@pytest.mark.parametrize(
    "text",
    ["platform-team", "00000000-0000-4000-8000-000000000001", "arn:aws:iam::123456789012:role/deployer-of-everything",
     "demand/some-rather-long-name-of-a-file-2026.csv", "10.0.0.0/8", "2026-11-21", "a" * 64, "example-project-123456",
     "deployer@example-project.iam.gserviceaccount.com", "ecosystem.example.org/spot", "recommendationservice",
     "projects/example-backup/locations/europe-north1/backupVaults/platform",
     "/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/platformBackup1"],
)  # fmt: skip
def test_what_is_no_secret(text: str) -> None:
    assert secret_form(text) is None


def test_no_own_file_holds_a_secret() -> None:
    for path in OWN:
        assert list(find_secrets(read_file(path).model_dump(mode="json"))) == []
