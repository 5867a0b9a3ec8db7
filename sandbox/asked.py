"""What the engine asks a provider about: one resource by its names."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.connection import Connection


@dataclass(frozen=True)
class Asked:
    """A resource as the engine names it."""

    urn: str
    type: str
    name: str
    timeout: float = 0  # seconds the program grants; 0 is the provider's own choice
    ignore: tuple[str, ...] = ()  # paths of ignoreChanges, as the engine writes them
    connection: Connection | None = field(default=None, compare=False, repr=False)
