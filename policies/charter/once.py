"""What is found once and kept with its owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):  # noqa: N801  a decorator, like `property`
    """A property that is found when it is first asked for; cached_property takes a lock, and resources are many."""

    def __init__(self, find: Callable[[Any], T]) -> None:
        self._find = find
        self._name = find.__name__
        self.__doc__ = find.__doc__

    @overload
    def __get__(self, held: None, kind: type | None = None) -> Self: ...
    @overload
    def __get__(self, held: object, kind: type | None = None) -> T: ...
    def __get__(self, held: object | None, kind: type | None = None) -> T | Self:
        """Find it, and leave it where the next who asks finds it first."""
        if held is None:
            return self
        found = held.__dict__[self._name] = self._find(held)
        return found
