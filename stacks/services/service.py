"""What every service can be told, and the plain types that settings share."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from stacks.part import Part

PORT: Final = r"(6553[0-5]|655[0-2]\d|65[0-4]\d{2}|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
"""A port in a pattern: 1 to 65535."""
Account = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        json_schema_extra={"x-allowed": "NAMESPACE/NAME, both in lower case"},
    ),
]
HttpPath = Annotated[
    str,
    Field(
        pattern=r"^/[A-Za-z0-9._~/-]*\*?$",
        json_schema_extra={"x-allowed": "a path that begins with /; a * may end it"},
    ),
]
HostPort = Annotated[
    str,
    Field(
        pattern=rf"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?:{PORT}$",
        json_schema_extra={"x-allowed": "a host name in lower case and a port: smtp.example.org:587"},
    ),
]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Mail = Annotated[
    str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", json_schema_extra={"x-allowed": "an e-mail address"})
]
Days = Annotated[int, Field(ge=1, le=3650)]


class Service(Part):
    """What every service can be told."""

    version: str | None = Field(default=None, examples=["v1.21.1"])
    """Version of its main chart, one of those in charts.lock; absent means the first that stands there."""
