"""The services that a stack file may switch on."""

from __future__ import annotations

from typing import Final

AVAILABLE: Final[tuple[str, ...]] = ()
"""Append the name of a service when its component exists; a name that is not here is refused."""
