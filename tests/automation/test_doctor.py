"""The examination before a run, as far as it asks nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from automation import doctor
from automation.session import PROJECT
from stacks.load import read_file
from stacks.model import Stack


def wished(tmp_path: Path, pools: int) -> Stack:
    file = yaml.safe_load((PROJECT / "Pulumi.dev.yaml").read_text())
    wish = file["config"]["cloud-ecosystem:stack"]
    wish["clusters"]["pools"] |= {f"team-{n}": {"min": 0, "max": 3, "slots": 3} for n in range(pools)}
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(yaml.safe_dump(file))
    return read_file(path)


@pytest.mark.parametrize(
    ("pools", "aws", "azure"), [(1, "ok", "ok"), (12, "missing", "ok"), (40, "missing", "missing")]
)
def test_node_pools_are_counted_against_the_clouds_limits(tmp_path: Path, pools: int, aws: str, azure: str) -> None:
    stack = wished(tmp_path, pools)
    found = {stack.region_of(each)[0]: list(doctor._pools(stack, each)) for each in stack.cluster_names()}
    assert [check.verdict for check in found["aws"]] == [aws]
    assert [check.verdict for check in found["azure"]] == [azure]
    assert found["gcp"] == []
    assert all(check.todo for checks in found.values() for check in checks if check.verdict != "ok")
