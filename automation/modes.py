"""Offline or real: offline is the default only where no backend and no credentials are configured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from automation.exits import Ending, Exit

OFFLINE_HEADER: Final = "OFFLINE — stand-in clouds, nothing real was touched"

BACKEND_VARIABLES: Final = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN")
CREDENTIAL_VARIABLES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "ARM_CLIENT_ID",
    "ARM_SUBSCRIPTION_ID",
    "AZURE_CLIENT_ID",
    "CLOUDFLARE_API_TOKEN",
)
CREDENTIAL_FILES: Final = (
    ".aws/credentials",
    ".aws/config",
    ".config/gcloud/application_default_credentials.json",
    ".azure/azureProfile.json",
)


@dataclass(frozen=True)
class Mode:
    """How this run meets the clouds, and why; `why` stands in the header so that no default is silent."""

    name: Literal["offline", "real"]
    why: str

    @property
    def offline(self) -> bool:
        return self.name == "offline"

    @property
    def header(self) -> str:
        """The first line of every output."""
        return f"{OFFLINE_HEADER} ({self.why})" if self.offline else f"REAL — changes reach real clouds ({self.why})"


def _configured(environ: Mapping[str, str], home: Path) -> str | None:
    """What is configured here for real runs, by name only; None when nothing is."""
    for name in (*BACKEND_VARIABLES, *CREDENTIAL_VARIABLES):
        if environ.get(name):
            return f"{name} is set"
    login = Path(environ.get("PULUMI_HOME", home / ".pulumi")) / "credentials.json"
    try:
        if json.loads(login.read_text(encoding="utf-8")).get("current"):
            return f"{login} holds a login"
    except (OSError, ValueError, AttributeError):
        pass
    return next((f"{home / name} exists" for name in CREDENTIAL_FILES if (home / name).is_file()), None)


def decide(*, offline: bool, real: bool, environ: Mapping[str, str], home: Path) -> Mode:
    """Pick the mode; an option always wins, both at once are wrong input (exit 2)."""
    if offline and real:
        raise Ending(Exit.WRONG_INPUT, "option", "--offline and --real exclude each other: give one of them")
    if offline:
        return Mode("offline", "--offline was given")
    if real:
        return Mode("real", "--real was given")
    found = _configured(environ, home)
    if found:
        return Mode("real", f"{found}; say --offline for stand-in clouds")
    return Mode("offline", "no backend and no credentials are configured; say --real for real clouds")
