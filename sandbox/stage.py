"""Let calls through, or not: faults strike, and the client layer retries what may be retried."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import grpc
import tenacity

from sandbox.asked import Asked
from sandbox.connection import Connection
from sandbox.errors import Refused, Uninitialised
from sandbox.faults import Fault, Kind, Match, Plan
from sandbox.state import Database

CRASH_CODE = 86
"""Exit code of a server process that a fault has killed."""

_EXPIRED = {
    "aws": ("ExpiredToken", "The security token included in the request is expired"),
    "gcp": ("invalid_grant", "oauth2: token expired and refresh token is not set"),
    "azure-native": ("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than current UTC time"),
    "cloudflare": ("10000", "Authentication error: the token has expired"),
    "kubernetes": ("Unauthorized", "the server has asked for the client to provide credentials"),
}
_THROTTLED = {
    "aws": ("ThrottlingException", "Rate exceeded"),
    "gcp": ("rateLimitExceeded", "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute'"),
    "azure-native": (
        "TooManyRequests",
        "The request is being throttled as the limit has been reached for operation type",
    ),
    "cloudflare": ("10429", "Rate limited. Please wait and consider throttling your request speed"),
    "kubernetes": ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
}
_QUOTA = {
    "aws": ("ResourceLimitExceeded", "You have exceeded the number of resources allowed for this account"),
    "gcp": ("quotaExceeded", "Quota exceeded in this region for the project"),
    "azure-native": ("QuotaExceeded", "Operation could not be completed as it results in exceeding approved quota"),
    "cloudflare": ("1010", "The plan's quota is used up"),
    "kubernetes": ("Forbidden", "exceeded quota"),
}
_SAFE = frozenset({"read", "invoke", "delete", "update"})
"""Operations that may be sent twice; a create whose answer was lost may not."""


class _Again(Exception):  # noqa: N818 - a signal inside this file
    """Worth another try."""

    def __init__(self, code: str, text: str, status: grpc.StatusCode) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text, self.status = code, text, status


class Stage:
    """The clock, the fault plan, and what of it has happened so far."""

    def __init__(self, plan: Plan) -> None:
        """Play a plan; `use` gives it the database that remembers its counters."""
        self.plan = plan
        self.now = plan.clock
        self.database: Database | None = None
        self._jitter = random.Random(plan.seed)  # noqa: S311 - pauses are no secret
        self._over = threading.Event()

    def use(self, database: Database) -> None:
        """Keep counters in this database."""
        self.database = database

    def end(self) -> None:
        """Wake whatever hangs or waits."""
        self._over.set()

    def call(self, connection: Connection, operation: str, asked: Asked, service: str, do: Callable[[], Any]) -> Any:
        """Do one call, with the faults that strike it and the retries that the vendors' SDKs make."""
        if not self.plan.faults:
            return do()
        retry = self.plan.retry
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_Again),
            stop=tenacity.stop_after_attempt(retry.attempts) | tenacity.stop_when_event_set(self._over),
            wait=self._pause,
            sleep=self._wait,
            reraise=True,
        )
        try:
            return retrying(self._once, connection, operation, asked, do)
        except _Again as last:
            where = asked.urn or asked.type
            tries = retrying.statistics.get("attempt_number", 1)
            raise Refused(
                last.code,
                f"{last.text}. {operation} of {where} ({service}, {connection.region or 'global'}) was given up after {tries} "  # noqa: E501 - one message, one line
                f"attempts; fewer calls at once may help: pulumi --parallel {max(1, (os.cpu_count() or 2))}",
                last.status,
            ) from None

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Full jitter (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter, 2015)."""
        retry = self.plan.retry
        ceiling = min(retry.max_seconds, retry.first_seconds * 2.0 ** (state.attempt_number - 1))
        return self._jitter.uniform(0, ceiling)

    def _wait(self, seconds: float) -> None:
        self._over.wait(seconds)

    def _once(self, connection: Connection, operation: str, asked: Asked, do: Callable[[], Any]) -> Any:  # noqa: C901 - a flat list of cases
        fault = self._strikes(connection, operation, asked)
        if fault is None:
            return do()
        package = connection.package
        if fault.do is Kind.LATENCY:
            self._wait(fault.seconds)
        elif fault.do is Kind.HANG:
            self._hang(connection, fault.seconds)
        elif fault.do is Kind.CRASH_BEFORE:
            os._exit(CRASH_CODE)
        elif fault.do is Kind.THROTTLE:
            raise _Again(*_words(fault, _THROTTLED[package]), grpc.StatusCode.RESOURCE_EXHAUSTED)
        elif fault.do is Kind.ERROR:
            raise _Again(
                *_words(fault, ("InternalError", "An internal error has occurred (HTTP 500)")),
                grpc.StatusCode.UNAVAILABLE,
            )
        elif fault.do in {Kind.FAIL, Kind.QUOTA, Kind.EXPIRED}:
            raise self._no(fault, package)
        result = do()
        if fault.do is Kind.CRASH_AFTER:
            os._exit(CRASH_CODE)
        if fault.do is Kind.RESET:
            self._reset(operation, fault)
        if fault.do is Kind.UNINITIALISED and operation in {"create", "update"}:
            raise _half(result, asked, fault)
        return result

    @staticmethod
    def _reset(operation: str, fault: Fault) -> None:
        """The call arrived, its answer did not."""
        words = _words(fault, ("RequestError", "send request failed: connection reset by peer"))
        if operation in _SAFE:
            raise _Again(*words, grpc.StatusCode.UNAVAILABLE)
        raise Refused(*words, grpc.StatusCode.UNKNOWN)

    def _hang(self, connection: Connection, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not connection.cancelled and not self._over.is_set():
            self._over.wait(0.1)
        if connection.cancelled or self._over.is_set():
            raise Refused("RequestCanceled", "request context canceled", grpc.StatusCode.CANCELLED)

    @staticmethod
    def _no(fault: Fault, package: str) -> Refused:
        if fault.do is Kind.QUOTA:
            return Refused(*_words(fault, _QUOTA[package]), grpc.StatusCode.RESOURCE_EXHAUSTED)
        if fault.do is Kind.EXPIRED:
            return Refused(*_words(fault, _EXPIRED[package]), grpc.StatusCode.UNAUTHENTICATED)
        return Refused(
            *_words(fault, ("InvalidParameter", "the request was refused")), grpc.StatusCode.FAILED_PRECONDITION
        )

    def _strikes(self, connection: Connection, operation: str, asked: Asked) -> Fault | None:
        """Find the first fault that this call runs into, and count it."""
        assert self.database is not None  # noqa: S101 - `use` comes first
        for index, fault in enumerate(self.plan.faults):
            if not _selects(fault.match, connection.package, operation, asked):
                continue
            number = self.database.count_up(f"fault:{index}:seen")
            if not _due(fault.match, number):
                continue
            if fault.times != "forever" and self.database.count_up(f"fault:{index}:struck") > fault.times:
                continue
            return fault
        return None


def _selects(match: Match, package: str, operation: str, asked: Asked) -> bool:
    return (
        match.cloud in {"*", package}
        and match.operation in {"*", operation}
        and fnmatchcase(asked.type, match.type)
        and fnmatchcase(asked.urn, match.urn)
    )


def _due(match: Match, number: int) -> bool:
    if match.nth is not None and number != match.nth:
        return False
    if match.from_call is not None and number < match.from_call:
        return False
    return match.every is None or number % match.every == 0


def _words(fault: Fault, words: tuple[str, str]) -> tuple[str, str]:
    return fault.code or words[0], fault.message or words[1]


def _half(result: Any, asked: Asked, fault: Fault) -> Uninitialised:
    id_, outputs = result if isinstance(result, tuple) else ("", result)
    reason = fault.message or f"{asked.name} was created, but did not become ready in time"
    return Uninitialised(id_, [reason], outputs, {})
