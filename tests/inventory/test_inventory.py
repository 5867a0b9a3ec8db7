"""Each stack file, run whole under the mock cloud: what it creates, counted, and the inputs that people rely on.

`python -m tests.inventory.test_inventory` writes the counts anew; the key inputs are written by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime import MockResourceArgs, settings

from components.platform import Platform
from sizing.evidence import sizing_outputs
from stacks.load import read_file
from stacks.model import Stack
from tests.components.azure.region import identities_as_a_map
from tests.components.mock_cloud import ANSWERS, COMPUTED, Answer, Cloud, Computed, attach

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
STACKS = ("dev", "staging", "prod", "dr")
SIZING = "pulumi-python:dynamic/sizing:Sizing"
COUNTED_OUT = ("pulumi:pulumi:Stack",)
IDENTITIES = (
    "azure-native:compute:DiskEncryptionSet",
    "azure-native:storage:StorageAccount",
    "azure-native:network:FlowLog",
)
"""Types whose list of identities comes back as a map."""
MAPPED = ("azure-native:dbforpostgresql:Server", "azure-native:redisenterprise:RedisEnterprise")
"""Types that answer with more than that map."""


def wish(name: str) -> Stack:
    """The stack file with the fast solver: counts and wiring do not depend on how good the plan is."""
    stack = read_file(ROOT / f"Pulumi.{name}.yaml")
    return stack.model_copy(update={"sizing": stack.sizing.model_copy(update={"quality": "fast"})})


def answers(stack: Stack) -> dict[str, Answer]:
    """Look-ups answered by the accounts of the stack file itself, and an engine without a state."""
    clouds = stack.clouds
    found: dict[str, Answer] = {**ANSWERS, "pulumi:pulumi:readStackOutputs": {"outputs": {}}}
    if clouds.aws:
        account = clouds.aws.account
        found["aws:index/getCallerIdentity:getCallerIdentity"] = {
            "accountId": account, "arn": f"arn:aws:sts::{account}:assumed-role/r/s", "id": account, "userId": "u",
        }  # fmt: skip
    if clouds.azure:
        found["azure-native:authorization:getClientConfig"] = {
            "clientId": "c",
            "objectId": "o",
            "subscriptionId": clouds.azure.subscription,
            "tenantId": clouds.azure.tenant,
        }
    return found


def planned(args: MockResourceArgs) -> Mapping[str, Any]:
    """What the dynamic provider adds."""
    return sizing_outputs(args.inputs["problems"], None)


def aks(args: MockResourceArgs) -> Mapping[str, Any]:
    """A managed cluster: its addresses, and its identities as Azure gives them back."""
    known = COMPUTED["azure-native:containerservice:ManagedCluster"]
    return {**(known(args) if callable(known) else known), **identities_as_a_map(args)}


def build(name: str) -> Cloud:
    """Run one stack whole and hand back the cloud that remembers it."""
    stack = wish(name)
    computed: dict[str, Computed] = {**COMPUTED, SIZING: planned, **dict.fromkeys(IDENTITIES, identities_as_a_map)}
    computed["azure-native:containerservice:ManagedCluster"] = aks
    for typ in MAPPED:
        computed[typ] = lambda args, known=COMPUTED[typ]: {**known(args), **identities_as_a_map(args)}
    cloud = Cloud(answers=answers(stack), computed=computed)
    return attach(cloud, name).build(lambda: Platform("platform", stack).export())


def counts(cloud: Cloud) -> dict[str, int]:
    return {typ: number for typ, number in sorted(cloud.counts().items()) if typ not in COUNTED_OUT}


def at(inputs: Any, path: str) -> Any:
    """Value at a dotted path; a step that is a number picks from a list."""
    for step in path.split("."):
        inputs = inputs[int(step)] if isinstance(inputs, list) else inputs[step]
    return inputs


@pytest.fixture(scope="module", params=STACKS)
def built(request: pytest.FixtureRequest) -> Iterator[tuple[dict[str, Any], Cloud]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
        yield yaml.safe_load((HERE / f"{request.param}.yaml").read_text()), build(request.param)
    settings.reset_options()


def test_a_stack_creates_what_its_inventory_says(built: tuple[dict[str, Any], Cloud]) -> None:
    inventory, cloud = built
    assert counts(cloud) == inventory["types"]


def test_key_inputs_are_what_the_inventory_says(built: tuple[dict[str, Any], Cloud]) -> None:
    inventory, cloud = built
    for row in inventory["inputs"]:
        found = cloud.of_type(row["type"])
        assert row["name"] in found, f"{row['type']} {row['name']} is not created; there are {sorted(found)}"
        for path, value in row["has"].items():
            assert at(found[row["name"]], path) == value, f"{row['name']} {path}"


def test_every_resource_has_an_explicit_provider(built: tuple[dict[str, Any], Cloud]) -> None:
    assert built[1].without_provider() == []


def test_every_node_pool_carries_the_hash_of_its_own_plan(built: tuple[dict[str, Any], Cloud]) -> None:
    cloud = built[1]
    outputs = planned(next(each for each in cloud.asked if each.typ == SIZING))
    expected = {
        f"{cluster}-{key}": part["evidence"]
        for cluster, slots in outputs["plan"].items()
        for key, part in slots.items()
    }
    carried: dict[str, str] = {}
    for typ, path in (
        ("aws:eks/nodeGroup:NodeGroup", "tags.optimizer-evidence"),
        ("gcp:container/nodePool:NodePool", "nodeConfig.resourceLabels.optimizer-evidence"),
        ("azure-native:containerservice:AgentPool", "tags.optimizer-evidence"),
    ):
        carried |= {name: at(inputs, path) for name, inputs in cloud.of_type(typ).items()}
    assert carried == expected


def test_no_secret_like_value_is_in_any_input(built: tuple[dict[str, Any], Cloud]) -> None:
    text = json.dumps([each.inputs for each in built[1].asked], default=str)
    assert "BEGIN RSA PRIVATE KEY" not in text
    assert '"token":' not in text  # kubeconfigs run a command instead


def write() -> None:
    """Write the counts of every stack anew, and keep the key inputs."""
    for name in sys.argv[1:] or STACKS:
        path = HERE / f"{name}.yaml"
        kept = yaml.safe_load(path.read_text()) if path.exists() else {"inputs": []}
        text = yaml.safe_dump({"types": counts(build(name)), "inputs": kept["inputs"]}, sort_keys=False, width=120)
        path.write_text(text)
        settings.reset_options()


if __name__ == "__main__":
    write()
