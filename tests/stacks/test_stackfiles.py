"""Every wrong file is refused with all its problems in one report; every right one is read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pulumi
import pulumi.runtime.config as engine_config
import pytest

from stacks.envelope import KEY
from stacks.load import from_config, read_file, read_text
from stacks.problems import StackFileError
from stacks.schema import FILE, text
from stacks.yaml_core import read
from tests.stacks.corpus import ERRORS, HAPPY, OWN, PROJECT, expected, report

SECRETS = (
    "hunter2", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "MIIEow", "s3cr3tpassw0rd", "ghp_0123", "correct-horse",
    "v1:abcdefgh",
)  # fmt: skip


def test_the_corpus_is_large_enough() -> None:
    assert len(ERRORS) >= 60
    assert len(HAPPY) >= 10


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.name)
def test_a_wrong_file_lists_exactly_its_problems(path: Path) -> None:
    error = report(lambda: read_file(path))
    assert error is not None
    found = [(problem.place(), problem.line().lower()) for problem in error.problems]
    for place, message in expected(path):
        hit = next((problem for problem in found if problem[0] == place and message.lower() in problem[1]), None)
        assert hit, f"{place} | {message} is missing in:\n{error}"
        found.remove(hit)
    assert not found
    count = len(expected(path))
    assert str(error).startswith(f"{path.name} does not describe a stack ({count} to fix):\n  ")
    assert len(str(error).splitlines()) == count + 1


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.name)
def test_no_report_repeats_a_secret(path: Path) -> None:
    error = report(lambda: read_file(path))
    assert error is not None
    whole = f"{error}{error!r}{error.__cause__}{[problem.what for problem in error.problems]}"
    assert not [secret for secret in SECRETS if secret in whole]


@pytest.mark.parametrize("path", [*HAPPY, *OWN], ids=lambda path: path.name)
def test_a_right_file_is_read(path: Path) -> None:
    stack = read_file(path)
    assert stack.cluster_names()
    jsonschema.validate(read(path.read_text(encoding="utf-8")).data, json.loads(FILE.read_text(encoding="utf-8")))


ENGINES = ("error.yaml", "error.secret-encrypted", "error.unknown-root", "error.unknown-esc")
"""The engine itself judges the text, the root keys and the ciphertexts."""
BOTH_DOORS = [path for path in (*HAPPY, *OWN, *ERRORS) if not path.name.startswith(ENGINES)]


@pytest.mark.parametrize("path", BOTH_DOORS, ids=lambda path: path.name)
def test_a_running_program_judges_as_the_file_does(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine hands the structured key over as JSON with sorted keys; what it refuses itself is left out."""
    from_file = report(lambda: read_file(path))
    config: Mapping[str, Any] = read(path.read_text(encoding="utf-8")).data["config"]
    secret = {key for key, value in config.items() if isinstance(value, dict) and set(value) == {"secure"}}
    bag = {key: value if isinstance(value, str) else json.dumps(value, sort_keys=True) for key, value in config.items()}
    monkeypatch.setattr(pulumi, "get_stack", lambda: "test")
    monkeypatch.setattr(engine_config, "get_config_env", dict)
    old_bag, old_secrets = engine_config.CONFIG.get(), engine_config._SECRET_KEYS.get()
    engine_config.set_all_config(bag, list(secret))
    try:
        if from_file is None:
            assert from_config() == read_file(path)
            return
        with pytest.raises(pulumi.RunError) as caught:
            from_config()
    finally:
        engine_config.set_all_config(dict(old_bag), list(old_secrets))
    header, *lines = str(caught.value).splitlines()
    assert header == f"Pulumi.test.yaml does not describe a stack ({len(lines)} to fix):"
    assert sorted(lines) == sorted(f"  {problem.line()}" for problem in from_file.problems)


def test_reading_imports_no_engine_and_no_cloud() -> None:
    code = (
        "import sys; from pathlib import Path; from stacks.load import read_file\n"
        "for name in ('dev', 'staging', 'prod', 'dr'): read_file(Path(f'Pulumi.{name}.yaml'))\n"
        "try: read_file(Path('tests/stackfiles/error.many-at-once.yaml'))\n"
        "except ValueError: pass\n"
        "print(sorted(name for name in sys.modules if name.startswith('pulumi')))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_the_header_and_the_line_numbers_lead_to_the_place() -> None:
    error = report(
        lambda: read_text((PROJECT / "Pulumi.dev.yaml").read_text().replace("zones: 1", "zones: 9"), "x.yaml")
    )
    assert error is not None
    lines = (PROJECT / "Pulumi.dev.yaml").read_text().splitlines()
    for row in str(error).splitlines()[1:]:
        number = int(row.split("(line ")[1].split(")")[0])
        assert "zones: 1" in lines[number - 1]


def test_a_missing_file_and_a_binary_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(StackFileError, match=r"Pulumi\.nowhere\.yaml does not describe a stack \(1 to fix\)"):
        read_file(tmp_path / "Pulumi.nowhere.yaml")
    binary = tmp_path / "Pulumi.binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StackFileError, match="cannot be read"):
        read_file(binary)


def test_the_schema_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run `python -m stacks.schema`"


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_editors_find_the_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=stacks/schema.json"
    assert not set(read(path.read_text()).data) & {"encryptionsalt"}
    assert set(read(path.read_text()).data["config"]) == {KEY, "pulumi:disable-default-providers"}


SIZES = {  # clouds, regions, zones of each, control plane, production
    "dev": (3, 3, {1}, "restricted", False),
    "staging": (3, 3, {1}, "private", False),
    "prod": (3, 6, {3}, "private", True),
    "dr": (3, 3, {3}, "private", True),
}


@pytest.mark.parametrize("name", SIZES)
def test_what_each_environment_is(name: str) -> None:
    stack = read_file(PROJECT / f"Pulumi.{name}.yaml")
    regions = stack.regions()
    zones = {region.zones for by_name in regions.values() for region in by_name.values()}
    access = stack.control_plane_access.mode
    assert (len(regions), len(stack.cluster_names()), zones, access, stack.production) == SIZES[name]
    assert stack.protect == stack.production


def test_disaster_recovery_shares_no_region_with_production() -> None:
    prod, standby = (read_file(PROJECT / f"Pulumi.{name}.yaml") for name in ("prod", "dr"))
    assert not set(prod.cluster_names()) & set(standby.cluster_names())
    assert {n: p.max for n, p in prod.clusters.pools.items()} == {n: p.max for n, p in standby.clusters.pools.items()}
