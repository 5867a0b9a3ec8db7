"""Refusals in the words of the cloud that is stood in for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import grpc


class Refused(Exception):  # noqa: N818 - it is what the cloud did, not an accident of ours
    """A cloud's clean "no": its own error code, its wording, and the transport status that leaves no doubt."""

    def __init__(self, code: str, text: str, status: grpc.StatusCode = grpc.StatusCode.FAILED_PRECONDITION) -> None:
        """Keep code and text apart: tests and retry rules look at the code."""
        super().__init__(f"{code}: {text}" if code else text)
        self.code = code
        self.status = status


@dataclass
class Uninitialised(Exception):  # noqa: N818 - as above
    """Created (or updated), but not live: the engine keeps the state and fails the step."""

    id: str
    reasons: list[str]
    outputs: dict[str, Any]
    inputs: dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """One input that is refused before anything is created."""

    path: str
    reason: str
