"""Where the engine is: an official one on PATH when it is good enough, else the one built here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from toolchain.build import STORE

OLDEST = (3, 259)
SWITCH = "ENGINE"


class EngineNotFoundError(Exception):
    """No engine can be used; the text says what to do."""


def switch() -> str:
    """Return the value of the environment variable ENGINE: `build`, `path` or empty. Raises on any other."""
    value = os.environ.get(SWITCH, "")
    if value not in ("", "build", "path"):
        raise EngineNotFoundError(
            f"{SWITCH}={value} is unknown: use {SWITCH}=build (the engine of .toolchain), {SWITCH}=path (the one on "
            "PATH), or leave it unset."
        )
    return value


def on_path() -> tuple[Path | None, str]:
    """Return the folder of a usable `pulumi` on PATH, or None and the reason why there is none."""
    search = os.pathsep.join(
        folder
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if folder and STORE.resolve() not in Path(folder).resolve().parents
    )
    cli = shutil.which("pulumi", path=search)
    if cli is None:
        return None, "no pulumi is on PATH"
    host = shutil.which("pulumi-language-python", path=search)
    if host is None:
        return None, f"{cli} has no pulumi-language-python beside it"
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    asked = subprocess.run([cli, "version"], capture_output=True, text=True, check=False, env=environment)
    found = re.match(r"v?(\d+)\.(\d+)\.", asked.stdout.strip())
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        return None, f"{cli} is {asked.stdout.strip() or 'of no known version'}, older than {OLDEST[0]}.{OLDEST[1]}"
    return Path(cli).parent, ""


def locate() -> Path:
    """Return the folder to put first on PATH; raises `EngineNotFoundError` with what to do."""
    from toolchain.engine.recipe import recipe  # noqa: PLC0415 - hashing and Go are needed only without one on PATH

    wanted = switch()
    if wanted != "build":
        folder, reason = on_path()
        if folder is not None:
            return folder
        if wanted == "path":
            raise EngineNotFoundError(
                f"{SWITCH}=path, but {reason}: install pulumi {OLDEST[0]}.{OLDEST[1]} or newer, or unset {SWITCH} and "
                "run `python3.11 -m toolchain.engine build`."
            )
    engine = recipe()
    if engine.built():
        return engine.current / "bin"
    state = "is older than its sources" if engine.current.exists() else "is not built"
    raise EngineNotFoundError(f"The engine {state}: run `python3.11 -m toolchain.engine build`.")
