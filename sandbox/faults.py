"""The fault plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloud import Asked
from sandbox.connection import Connection


@dataclass
class Plan:
    accounts: dict[str, str] = field(default_factory=dict)


@dataclass
class Stage:
    plan: Plan
    now: str

    def call(self, connection: Connection, operation: str, asked: Asked, service: str, do: Callable[[], Any]) -> Any:
        return do()

    def use(self, database: Any) -> None:
        pass
