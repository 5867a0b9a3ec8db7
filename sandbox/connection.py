"""One engine connection: a provider instance with its configuration."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Connection:
    """What Configure said on this peer; one per provider instance."""

    peer: str
    package: str
    config: dict[str, Any] = field(default_factory=dict)
    scope: str = ""  # account, project or subscription that answers
    region: str = ""
    cancelled: bool = False

    def option(self, key: str) -> Any:
        """Return an option; the engine hands everything that is not text over as JSON text."""
        value = self.config.get(key)
        if isinstance(value, str) and value[:1] in '[{"tfn0123456789':
            try:
                return json.loads(value)
            except ValueError:
                return value
        return value

    def text(self, key: str) -> str:
        """Return an option as the text it was given as."""
        value = self.config.get(key)
        return "" if value is None else str(value)
