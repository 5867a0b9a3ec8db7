"""Secrets of a stack under another passphrase: on the real engine and a file backend, all or nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from automation.exits import Ending
from automation.session import locate_engine
from automation.signing.rotation import carried, new_passphrase

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "tests" / "engine" / "projects" / "tiny"
OLD, NEW = "the-old-passphrase-of-a-test", "the-new-passphrase-of-a-test"


def test_only_ciphertext_and_the_engines_keys_change() -> None:
    tracked = "# kept\nencryptionsalt: v1:old\nconfig:\n  p:token:\n    secure: v1:abc # kept too\n  p:a: {b: 1}\n"
    copy = 'encryptionsalt: "v1:new"\nconfig:\n  "p:token": {"secure": "v1:xyz"}\n  "p:a": {"b": 1}\n'
    made = carried(tracked, copy)
    assert made == tracked.replace("v1:old", '"v1:new"').replace("v1:abc", '"v1:xyz"')
    kms = 'secretsprovider: "awskms://alias/x"\nencryptedkey: "k"\nconfig: {"p:token": {"secure": "z"}}\n'
    made = carried(tracked, kms)
    assert "encryptionsalt" not in made
    assert made.endswith('secretsprovider: "awskms://alias/x"\nencryptedkey: "k"\n')
    with pytest.raises(ValueError, match="does not"):
        carried("config: {}\n", copy)


def test_a_new_passphrase_is_long_and_private(tmp_path: Path) -> None:
    file = tmp_path / "new"
    file.write_text(NEW)
    file.chmod(0o600)
    assert new_passphrase({}, file) == NEW
    file.chmod(0o644)
    for environ, given in (
        ({}, file),
        ({}, None),
        ({"ECOSYSTEM_NEW_PASSPHRASE": "short"}, None),
        ({}, tmp_path / "no"),
    ):
        with pytest.raises(Ending) as caught:
            new_passphrase(environ, given)
        assert caught.value.code == 2
        assert NEW not in str(caught.value)


@pytest.mark.engine
def test_rotation(tmp_path: Path) -> None:
    project, backend = tmp_path / "tiny", tmp_path / "backend"
    shutil.copytree(TINY, project, ignore=shutil.ignore_patterns("__pycache__"))
    backend.mkdir()
    directory, _ = locate_engine()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "ENGINE") if name in os.environ}
    env = {
        **kept,
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
        "ECOSYSTEM_STATE": str(tmp_path / "state"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def pulumi(*words: str, passphrase: str = OLD) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(directory / "pulumi"), "--non-interactive", *words], cwd=project, text=True, capture_output=True,
            env={**env, "PULUMI_CONFIG_PASSPHRASE": passphrase}, check=False,
        )  # fmt: skip

    def rotate(*words: str, passphrase: str = OLD) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "automation", "rotate-secrets", "small", "--project", str(project), *words],
            cwd=ROOT, text=True, capture_output=True, check=False, timeout=600,
            env={**env, "PULUMI_CONFIG_PASSPHRASE": passphrase, "ECOSYSTEM_NEW_PASSPHRASE": NEW},
        )  # fmt: skip

    assert pulumi("stack", "init", "small").returncode == 0
    assert pulumi("config", "set", "--secret", "cloud-ecosystem:token", "hunter2-of-the-test").returncode == 0
    tracked = project / "Pulumi.small.yaml"
    before = tracked.read_text()

    refused = rotate("--to", "passphrase", passphrase="another-passphrase-entirely")
    assert refused.returncode == 4, refused.stderr
    assert rotate("--to", "rot13").returncode == 2
    kms = rotate("--to", "awskms://alias/none?region=eu-west-1")
    assert kms.returncode == 4, kms.stderr
    assert tracked.read_text() == before
    assert pulumi("config", "get", "cloud-ecosystem:token").stdout.strip() == "hunter2-of-the-test"

    done = rotate("--to", "passphrase")
    assert done.returncode == 0, done.stderr
    assert "1 secrets" in done.stderr
    assert NEW not in done.stdout + done.stderr
    after = tracked.read_text()
    assert [line.split(":")[0] for line in before.splitlines()] == [line.split(":")[0] for line in after.splitlines()]
    assert pulumi("config", "get", "cloud-ecosystem:token", passphrase=NEW).stdout.strip() == "hunter2-of-the-test"
    assert pulumi("config", "get", "cloud-ecosystem:token").returncode != 0  # the old one opens nothing any more
