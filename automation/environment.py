"""The environment of the engine and of everything below it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

KEPT_OFFLINE: Final = (
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "TZ",
    "PATH",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHASHSEED",
    "OMP_NUM_THREADS",
    "PULUMI_ERROR_OUTPUT_STRING",
    "SHARED",
    "CI",
)
"""All that an offline run takes over: no credentials, no proxies, no backend, no kubeconfig."""

OURS: Final = "ECOSYSTEM_"
"""Variables of this project, for programs of tests and for the program's own switches."""

QUIET: Final[Mapping[str, str]] = {
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_DEBUG_COMMANDS": "true",  # the engine offers `--event-log` only then
    "PULUMI_AUTOMATION_API": "true",
}


def offline(  # noqa: PLR0913 - every one of them is a variable of the environment
    environ: Mapping[str, str], *, engine: Path, backend: Path, home: Path, passphrase: str, debug_providers: str
) -> dict[str, str]:
    """What an offline run sees: nothing of the user's but a place to write and a language."""
    kept = {name: value for name, value in environ.items() if name in KEPT_OFFLINE or name.startswith(OURS)}
    return {
        **kept,
        **QUIET,
        "PATH": os.pathsep.join((str(engine), kept.get("PATH", os.defpath))),
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_HOME": str(home),
        "PULUMI_CONFIG_PASSPHRASE": passphrase,
        "PULUMI_DEBUG_PROVIDERS": debug_providers,
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def real(environ: Mapping[str, str], *, engine: Path) -> dict[str, str]:
    """What a real run sees: the user's own environment, with our engine first on PATH."""
    return {**environ, **QUIET, "PATH": os.pathsep.join((str(engine), environ.get("PATH", os.defpath)))}
