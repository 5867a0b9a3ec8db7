"""What the provider's configuration decides; the SDK fills gaps from PULUMI_K8S_* variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.connection import Connection
from sandbox.errors import Failure


@dataclass(frozen=True)
class Options:
    """The options that change how objects are treated; the text "true" and the boolean are the same."""

    secrets_mutable: bool = False
    maps_mutable: bool = False
    patch_force: bool = False
    upsert: bool = False
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    namespace: str = ""

    @classmethod
    def of(cls, connection: Connection | None) -> Options:
        """Read them from what Configure said."""
        if connection is None:
            return cls()
        return cls(
            secrets_mutable=_on(connection.option("enableSecretMutable")),
            maps_mutable=_on(connection.option("enableConfigMapMutable")),
            patch_force=_on(connection.option("enablePatchForce")),
            upsert=_on(connection.option("upsertExistingObjects")),
            delete_unreachable=_on(connection.option("deleteUnreachable")),
            skip_update_unreachable=_on(connection.option("skipUpdateUnreachable")),
            namespace=connection.text("namespace"),
        )


def _on(value: object) -> bool:
    return value is True or value == "true"


def refused_options(inputs: Mapping[str, Any]) -> list[Failure]:
    """List the options of the vendor's provider that the stage does not serve."""
    failures = []
    if inputs.get("enableServerSideApply") in {False, "false"}:
        failures.append(Failure("enableServerSideApply", "client-side apply is not served offline: leave it out"))
    if inputs.get("renderYamlToDirectory"):
        failures.append(Failure("renderYamlToDirectory", "rendering to files is not served offline: leave it out"))
    return failures
