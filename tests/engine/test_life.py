"""The whole loop on the real engine: preview, up, nothing more, refresh, drift, destroy."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest

from automation import schemas
from automation.modes import OFFLINE_HEADER
from tests.engine.conftest import ROOT, Hands

pytestmark = pytest.mark.engine


def test_a_rehearsal_ends_with_nothing_left(fresh: Hands) -> None:
    made = fresh.json("rehearse")
    jsonschema.validate(made, schemas.load("rehearse"))
    assert made["preview_steps"] == made["up_steps"] == {"create": 6}
    assert (made["second_up_changes"], made["refresh_changes"], made["left_after_destroy"]) == (0, 0, 0)
    assert made["header"].startswith(OFFLINE_HEADER)
    assert made["cost_monthly_usd"]["after"] == 1.0  # one customer managed key, 1 USD a month


def test_no_tracked_file_changes(fresh: Hands) -> None:
    def status() -> str:
        return subprocess.run(
            ["git", "status", "--porcelain", "--", "Pulumi*.yaml", "tests/engine/projects"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    before = status()
    fresh.json("up", "--offline")
    fresh.json("refresh", "--offline")
    fresh.json("destroy", "--offline", "--break-glass", "the test is over")
    assert status() == before


def test_up_persists_and_a_second_up_does_nothing(deployed: Hands) -> None:
    made = deployed.json("up", "--offline")
    jsonschema.validate(made, schemas.load("preview"))
    assert made["preview_steps"] == made["up_steps"] == {"same": 6}
    assert made["cost_monthly_usd"]["before"] == made["cost_monthly_usd"]["after"] == 1.0


def test_preview_writes_nothing(deployed: Hands) -> None:
    before = deployed.state_file.read_bytes(), deployed.things()
    made = deployed.json("preview", "--offline", ECOSYSTEM_TINY_GROUPS="2")
    assert made["preview_steps"] == {"create": 2, "same": 6}
    assert (deployed.state_file.read_bytes(), deployed.things()) == before


def test_offline_takes_no_credentials_along(deployed: Hands) -> None:
    made = deployed.json(
        "preview", "--offline", AWS_SECRET_ACCESS_KEY="canary-of-a-key", PULUMI_BACKEND_URL="file:///nowhere"
    )
    assert made["mode"] == "offline"
    assert made["preview_steps"] == {"same": 6}


def test_drift_is_found_to_the_path_and_repaired(deployed: Hands) -> None:
    _plant(deployed)
    made = deployed.json("drift", "--offline", code=5)
    jsonschema.validate(made, schemas.load("drift"))
    (row,) = made["drift"]
    assert (row["op"], row["type"]) == ("changed", "aws:ec2/vpc:Vpc")
    assert any("owner" in path for path in row["paths"]), row
    assert deployed.json("drift", "--offline", code=5)["drift"] == made["drift"], "looking changes nothing"
    deployed.json("refresh", "--offline")
    assert deployed.json("up", "--offline")["up_steps"] == {"same": 5, "update": 1}
    assert deployed.json("drift", "--offline")["drift"] == []


def test_a_deleted_thing_is_drift_and_comes_back(deployed: Hands) -> None:
    with closing(sqlite3.connect(deployed.place / "clouds" / "clouds.sqlite")) as connection, connection:
        connection.execute("DELETE FROM things WHERE urn LIKE '%::net-b'")
    made = deployed.json("drift", "--offline", code=5)
    assert [(row["op"], row["urn"].rsplit("::", 1)[1]) for row in made["drift"]] == [("deleted", "net-b")]
    deployed.json("refresh", "--offline")
    assert deployed.json("up", "--offline")["up_steps"] == {"create": 1, "same": 5}


def _plant(hands: Hands) -> None:
    """Somebody changes the owner tag of the network by hand."""
    with closing(sqlite3.connect(hands.place / "clouds" / "clouds.sqlite")) as connection, connection:
        pk, inputs, outputs = connection.execute(
            "SELECT pk, inputs, outputs FROM things WHERE type='aws:ec2/vpc:Vpc'"
        ).fetchone()
        changed = []
        for text in (inputs, outputs):
            side = json.loads(text)
            side.setdefault("tags", {})["owner"] = "somebody-else"
            if "tagsAll" in side:
                side["tagsAll"]["owner"] = "somebody-else"
            changed.append(json.dumps(side))
        connection.execute("UPDATE things SET inputs=?, outputs=? WHERE pk=?", (*changed, pk))


def test_outputs_carry_the_mode(deployed: Hands) -> None:
    ran = deployed.run("outputs", "--offline")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(OFFLINE_HEADER)
    assert "vpc-" in ran.stdout


def test_encrypted_keys_get_stand_in_values_offline(fresh: Hands, tiny_project: Path) -> None:
    with (tiny_project / "Pulumi.small.yaml").open("a") as file:
        file.write("  cloud-ecosystem:token:\n    secure: v1:AAAA:BBBB\nencryptionsalt: v1:x:y\n")
    fresh.project = tiny_project
    made = fresh.json("up", "--offline", ECOSYSTEM_TINY_SECRET="yes")
    assert any("stand-ins" in note for note in made["notes"])
    assert fresh.json("up", "--offline", ECOSYSTEM_TINY_SECRET="yes")["up_steps"] == {"same": 7}
