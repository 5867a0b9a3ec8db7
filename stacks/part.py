"""What every piece of the model is made of: closed, immutable parts and the plain types they share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from ipaddress import IPv4Network
from typing import Annotated, Any, Final, Never, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)

from stacks.quantities import cpu_milli, memory_mib

ENGINE_MIDNIGHT: Final = " 00:00:00 +0000 UTC"
"""What the engine appends to an unquoted date of the stack file before the program sees it."""


class Part(BaseModel):
    """Closed, immutable and discreet: an error never repeats the value it rejects."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


K = TypeVar("K")
V = TypeVar("V")


class Frozen(dict[K, V]):
    """A mapping that refuses to change; equal to the dict of the same items."""

    def _refuse(self, *_: object, **__: object) -> Never:
        raise TypeError("a stack is immutable: use model_copy(update=...)")

    __setitem__ = __delitem__ = _refuse
    clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __reduce__(self) -> tuple[type[Frozen[K, V]], tuple[dict[K, V]]]:
        return Frozen, (dict(self),)

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


def _freeze(mapping: Mapping[Any, Any]) -> Frozen[Any, Any]:
    return Frozen(sorted(mapping.items()))


FreezeMapping: Final = AfterValidator(_freeze)
"""Mark of every mapping of the model. Keys are sorted: the engine sorts them too before a program sees them, and what
is made of a file must not depend on the door it came through.
"""

Name = Annotated[
    str,
    Field(
        pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$",
        json_schema_extra={"x-allowed": "lower-case letters, digits and dashes, a letter first, at most 40"},
    ),
]
Tag = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
        json_schema_extra={"x-allowed": "lower-case letters, digits, dashes and underscores, at most 63"},
    ),
]


def _cidr(value: Any) -> IPv4Network:
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a network in CIDR form, written as text: 10.0.0.0/8")  # noqa: TRY004
    address, slash, prefix = value.partition("/")
    if not slash or not prefix.isdecimal():
        raise ValueError("must be a network in CIDR form with its prefix length: 10.0.0.0/8")
    try:
        loose = IPv4Network(value, strict=False)
    except ValueError:
        raise ValueError("is not an IPv4 network: four numbers up to 255 and a prefix length up to 32") from None
    if str(loose.network_address) != address:
        raise ValueError(f"has bits set beyond its prefix: the network that holds this address is {loose}")
    return loose


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value.removesuffix(ENGINE_MIDNIGHT) if len(value) > len("2026-11-21") else value)
    except (ValueError, TypeError, AttributeError):
        raise ValueError('must be a day of the calendar, written "2026-11-21" (year-month-day)') from None


def _number_as_text(value: Any) -> Any:
    """Kubernetes takes `cpu: 2` as well as `cpu: "2"`, and so do we."""
    return format(value, "g") if isinstance(value, int | float) and not isinstance(value, bool) else value


def _cpu(value: str) -> str:
    if cpu_milli(value) <= 0:
        raise ValueError("must be more than nothing: at least 1m")
    return value


def _memory(value: str) -> str:
    if value.isdecimal():
        raise ValueError("is a number of bytes without a unit: write it like 512Mi or 1Gi")
    if memory_mib(value) <= 0:
        raise ValueError("must be more than nothing: at least 1Mi")
    return value


Cidr = Annotated[
    IPv4Network,
    PlainValidator(_cidr),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$"}),
]
Day = Annotated[
    date,
    PlainValidator(_day),
    PlainSerializer(date.isoformat, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}( 00:00:00 \+0000 UTC)?$"}),
]
Cpu = Annotated[
    str,
    BeforeValidator(_number_as_text),
    AfterValidator(_cpu),
    Field(json_schema_extra={"x-allowed": "a Kubernetes quantity such as 500m or 2"}),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}]}),
]
Memory = Annotated[
    str,
    AfterValidator(_memory),
    Field(json_schema_extra={"x-allowed": "a Kubernetes quantity such as 512Mi or 1Gi"}),
]
