"""How a failing call reaches the user: status UNKNOWN and the bare text, never a traceback."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class HostError(Exception):
    """What a user has to know and do; the engine prints the text as it is."""


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, HostError) else f"{type(error).__name__}: {error}"


def _abort(context: Any, error: Exception) -> None:
    import grpc  # noqa: PLC0415 - loaded by whoever serves

    context.abort(grpc.StatusCode.UNKNOWN, _text(error))


def explained(method: Callable[[Any, Any, Any], Answer]) -> Callable[[Any, Any, Any], Answer]:
    """Turn any exception of an RPC method into status UNKNOWN with its text."""

    @functools.wraps(method)
    def answer(self: Any, request: Any, context: Any) -> Answer:
        try:
            return method(self, request, context)
        except Exception as error:  # gRPC would show "Exception calling application"
            _abort(context, error)
            raise AssertionError from error  # abort has raised

    return answer


def explained_stream(
    method: Callable[[Any, Any, Any], Iterator[Answer]],
) -> Callable[[Any, Any, Any], Iterator[Answer]]:
    """Do the same for a method that answers with a stream."""

    @functools.wraps(method)
    def answer(self: Any, request: Any, context: Any) -> Iterator[Answer]:
        try:
            yield from method(self, request, context)
        except Exception as error:  # noqa: BLE001 - gRPC would show "Exception iterating responses"
            _abort(context, error)

    return answer
