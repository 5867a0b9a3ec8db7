"""What a program asks of the provider by annotations (pulumi.com/...)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final, Literal

from sandbox.asked import Asked
from sandbox.kubernetes.options import Options

FIRST_MANAGER: Final = "pulumi-kubernetes"
SKIP: Final = "pulumi.com/skipAwait"
TIMEOUT: Final = "pulumi.com/timeoutSeconds"


def notes_of(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the annotations of an object; none while they are unknown."""
    meta = values.get("metadata")
    notes = meta.get("annotations") if isinstance(meta, Mapping) else None
    return notes if isinstance(notes, Mapping) else {}


def field_manager(asked: Asked, inputs: Mapping[str, Any], kept: str = "") -> str:
    """Name the field manager: the annotation's, the one kept since create, or one made of the URN."""
    digits = hashlib.sha256(asked.urn.encode()).hexdigest()[:8]
    return str(notes_of(inputs).get("pulumi.com/patchFieldManager") or kept or f"{FIRST_MANAGER}-{digits}")


def forced(body: Mapping[str, Any], options: Options) -> bool:
    """Tell whether an apply takes fields from other managers."""
    return options.patch_force or notes_of(body).get("pulumi.com/patchForce") == "true"


def propagation(notes: Mapping[str, Any]) -> Literal["Foreground", "Background", "Orphan"]:
    """Tell what happens to the dependants of a deleted object."""
    wish = str(notes.get("pulumi.com/deletionPropagationPolicy") or "").lower()
    return "Background" if wish == "background" else "Orphan" if wish == "orphan" else "Foreground"
