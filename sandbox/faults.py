"""The fault plan: which calls of the stand-in clouds go wrong, how, and how often.

    clock: "2026-11-21T00:00:00Z"        # what the clouds take for now
    accounts: {aws: "999999999999"}      # who answers, instead of the configured account, project or subscription
    project_numbers: {example: "123456789012"}
    retry: {attempts: 6, first_seconds: 0.05, max_seconds: 2.0}
    seed: 7                              # of the jitter
    faults:
      - do: throttle                     # see Kind
        times: 3                         # or forever; a fault that is used up is over
        match: {cloud: aws, type: "aws:eks/*", operation: create, urn: "*general-0*", nth: 2}

`match` selects calls: cloud, type and urn are shell patterns, operation is create, update, read, delete or
invoke. `nth` counts matching calls from 1 on; `from_call` takes all from that one on; `every`
takes each k-th. Counters live in the state folder: a restarted server goes on counting.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

Operation = Literal["create", "update", "read", "delete", "invoke", "configure"]
Cloud = Literal["aws", "gcp", "azure-native", "cloudflare", "kubernetes", "*"]


class Kind(StrEnum):
    """What happens to a call."""

    LATENCY = "latency"  # it takes `seconds` longer
    THROTTLE = "throttle"  # refused as too many; the client layer retries
    ERROR = "error"  # 5xx before anything happened; the client layer retries
    RESET = "reset"  # the connection breaks; retried where that is safe, else the state is unknown
    HANG = "hang"  # no answer until the engine gives up or `seconds` are over
    FAIL = "fail"  # refused for good with `code` and `message`
    QUOTA = "quota"  # refused for good in the cloud's words for a quota
    EXPIRED = "expired"  # refused for good: credentials have expired
    UNINITIALISED = "uninitialised"  # done, but not live: the engine keeps the state and fails the step
    CRASH_BEFORE = "crash_before"  # the server process dies before the call does anything
    CRASH_AFTER = "crash_after"  # the server process dies after it was done, before the answer


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Match(_Part):
    """Which calls."""

    cloud: Cloud = "*"
    type: str = "*"
    urn: str = "*"
    operation: Operation | Literal["*"] = "*"
    nth: Annotated[int, Field(ge=1)] | None = None
    from_call: Annotated[int, Field(ge=1)] | None = None
    every: Annotated[int, Field(ge=1)] | None = None


class Fault(_Part):
    """One thing that goes wrong."""

    do: Kind
    match: Match = Match()
    times: Annotated[int, Field(ge=1)] | Literal["forever"] = "forever"
    seconds: Annotated[float, Field(ge=0, le=3600)] = 0.2
    code: str = ""
    message: str = ""


class Retry(_Part):
    """How the client layer retries, as the vendors' SDKs do: exponential pauses with full jitter."""

    attempts: Annotated[int, Field(ge=1, le=50)] = 6
    first_seconds: Annotated[float, Field(gt=0, le=60)] = 0.05
    max_seconds: Annotated[float, Field(gt=0, le=300)] = 2.0


class Plan(_Part):
    """A whole fault plan; the empty one changes nothing."""

    clock: str = "2026-11-21T00:00:00Z"
    accounts: dict[Literal["aws", "gcp", "azure-native"], str] = Field(default_factory=dict)
    project_numbers: dict[str, str] = Field(default_factory=dict)
    retry: Retry = Retry()
    seed: int = 7
    faults: tuple[Fault, ...] = ()


class BadPlan(ValueError):  # noqa: N818 - it says what is wrong
    """The plan cannot be used; the message names the file, each path and what is allowed there."""


def read_plan(path: Path | None) -> Plan:
    """Read a fault plan (YAML or JSON). Raises BadPlan with every problem of the file."""
    if path is None:
        return Plan()
    try:
        text = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except OSError as problem:
        raise BadPlan(f"{path}: cannot be read: {problem.strerror}") from None
    except yaml.YAMLError as problem:
        raise BadPlan(f"{path}: is no YAML: {problem}") from None
    try:
        return Plan.model_validate(text or {})
    except ValidationError as problem:
        lines = [f"  {'.'.join(map(str, item['loc'])) or '(root)'}: {item['msg']}" for item in problem.errors()]
        raise BadPlan(f"{path} is no fault plan ({len(lines)} to fix):\n" + "\n".join(lines)) from None
