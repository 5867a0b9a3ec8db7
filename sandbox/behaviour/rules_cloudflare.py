"""Rules of Cloudflare that a table cannot hold."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.behaviour.rules import check
from sandbox.errors import Failure
from sandbox.wire import is_unknown

_AUTOMATIC, _LEAST, _MOST = 1, 60, 86400


@check
def cloudflare_record(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Content fits the type, the TTL is automatic or a minute to a day, proxied ones are automatic."""
    kind, content, ttl = inputs.get("type"), inputs.get("content"), inputs.get("ttl")
    if kind in {"A", "AAAA"} and isinstance(content, str) and not is_unknown(content):
        try:
            wrong = ipaddress.ip_address(content).version != (4 if kind == "A" else 6)
        except ValueError:
            wrong = True
        if wrong:
            yield Failure(
                "content", f"Content for {kind} record must be a valid IPv{4 if kind == 'A' else 6} address. (9005)"
            )
    if isinstance(ttl, int | float) and ttl != _AUTOMATIC and not _LEAST <= ttl <= _MOST:
        yield Failure("ttl", f"TTL must be between {_LEAST} and {_MOST} seconds, or {_AUTOMATIC} for Automatic. (9021)")
    if inputs.get("proxied") is True and isinstance(ttl, int | float) and ttl != _AUTOMATIC:
        yield Failure("ttl", f"must be {_AUTOMATIC} (automatic) when the record is proxied")
    if kind == "MX" and inputs.get("priority") is None:
        yield Failure("priority", "is required for an MX record")
