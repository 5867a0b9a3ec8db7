"""The services that a stack file may switch on: settings, what each needs, and the room that it takes."""

from __future__ import annotations

from typing import Final

from stacks.services.settings import Services
from stacks.services.table import TABLE

AVAILABLE: Final[tuple[str, ...]] = tuple(Services.model_fields)
"""Names of the services, in the order in which they are installed; a name that is not here is refused."""

__all__ = ["AVAILABLE", "TABLE", "Services"]
