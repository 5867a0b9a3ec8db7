"""Offline is the default only where nothing is configured, and never silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from automation import environment, places
from automation.exits import Ending, Exit
from automation.modes import CREDENTIAL_FILES, CREDENTIAL_VARIABLES, OFFLINE_HEADER, decide


def test_offline_where_nothing_is_configured(tmp_path: Path) -> None:
    mode = decide(offline=False, real=False, environ={}, home=tmp_path)
    assert mode.offline
    assert mode.header.startswith(OFFLINE_HEADER)
    assert "no backend and no credentials" in mode.header


@pytest.mark.parametrize("name", ["PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", *CREDENTIAL_VARIABLES])
def test_real_where_a_variable_is_set(tmp_path: Path, name: str) -> None:
    mode = decide(offline=False, real=False, environ={name: "x"}, home=tmp_path)
    assert not mode.offline
    assert name in mode.header
    assert OFFLINE_HEADER not in mode.header


@pytest.mark.parametrize("name", [*CREDENTIAL_FILES, ".pulumi/credentials.json"])
def test_real_where_a_file_says_so(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    file.write_text('{"current": "https://api.pulumi.com"}')
    assert decide(offline=False, real=False, environ={}, home=tmp_path).name == "real"


def test_a_logged_out_engine_is_no_backend(tmp_path: Path) -> None:
    (tmp_path / ".pulumi").mkdir()
    (tmp_path / ".pulumi/credentials.json").write_text('{"current": ""}')
    assert decide(offline=False, real=False, environ={}, home=tmp_path).offline


def test_an_option_wins_and_both_are_wrong(tmp_path: Path) -> None:
    assert decide(offline=True, real=False, environ={"AWS_PROFILE": "x"}, home=tmp_path).offline
    assert not decide(offline=False, real=True, environ={}, home=tmp_path).offline
    with pytest.raises(Ending) as ending:
        decide(offline=True, real=True, environ={}, home=tmp_path)
    assert ending.value.code is Exit.WRONG_INPUT


def test_an_offline_environment_holds_nothing_of_the_users(tmp_path: Path) -> None:
    users = {
        "PATH": "/bin", "HOME": "/home/x", "AWS_PROFILE": "x", "KUBECONFIG": "x", "HTTPS_PROXY": "x",
        "PULUMI_BACKEND_URL": "s3://x", "PULUMI_ACCESS_TOKEN": "x",
        "GOOGLE_APPLICATION_CREDENTIALS": "x", "ARM_CLIENT_SECRET": "x",
    }  # fmt: skip
    env = environment.offline(
        users, engine=tmp_path, backend=tmp_path / "b", home=tmp_path / "h", passphrase="p", debug_providers="aws:1"
    )
    assert env["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/b"
    assert env["PATH"] == f"{tmp_path}:/bin"
    assert not {name for name in env if name.startswith(("AWS", "GOOGLE", "ARM", "KUBE", "HTTPS"))}
    assert "PULUMI_ACCESS_TOKEN" not in env


def test_places_are_private_and_keyed_by_checkout_and_stack(tmp_path: Path) -> None:
    environ = {"ECOSYSTEM_STATE": str(tmp_path / "state")}
    one, two = (places.of(tmp_path / name, "prod", "offline", environ) for name in ("a", "b"))
    assert one.folder != two.folder
    assert one.folder != places.of(tmp_path / "a", "dev", "offline", environ).folder
    one.prepare()
    assert one.passphrase_file.stat().st_mode & 0o077 == 0
    assert one.folder.stat().st_mode & 0o077 == 0
    assert one.prepare().passphrase() == one.passphrase()


def test_an_offline_engine_keeps_no_log_unless_somebody_debugs(tmp_path: Path) -> None:
    place = places.Place(tmp_path).prepare()
    assert "ECOSYSTEM_DEBUG=1" in place.logs.read_text()
    place.prepare(logs=True)
    assert not place.logs.exists()  # the engine makes its folder
    (place.logs / "of-runs").mkdir(parents=True)
    place.prepare(logs=True)
    assert (place.logs / "of-runs").exists()
    place.prepare()
    assert place.logs.is_file()
