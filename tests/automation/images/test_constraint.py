"""Constraints mean what package managers mean by them."""

from __future__ import annotations

import pytest
from semver import Version

from automation.images.constraint import constraint, version_of

CASES = [
    ("^1.4", ["1.4.0", "1.99.0"], ["1.3.9", "2.0.0", "2.0.0-rc.1", "1.4.0-rc.1"]),
    ("^0.4", ["0.4.0", "0.4.9"], ["0.5.0", "0.3.9", "1.0.0"]),
    ("^0.0.3", ["0.0.3"], ["0.0.4", "0.0.2"]),
    ("^0", ["0.0.0", "0.9.9"], ["1.0.0"]),
    ("~1.4.2", ["1.4.2", "1.4.9"], ["1.4.1", "1.5.0"]),
    ("~1.4", ["1.4.0", "1.4.9"], ["1.5.0"]),
    ("~1", ["1.0.0", "1.9.9"], ["2.0.0"]),
    ("1.4.x", ["1.4.0", "1.4.7"], ["1.5.0", "1.3.0"]),
    ("1.4", ["1.4.0", "1.4.7"], ["1.5.0"]),
    ("1.x", ["1.0.0", "1.9.0"], ["2.0.0"]),
    ("1.4.2", ["1.4.2"], ["1.4.3", "1.4.1"]),
    ("=1.4.2", ["1.4.2"], ["1.4.3"]),
    (">=1.2 <2", ["1.2.0", "1.9.9"], ["2.0.0", "2.0.0-rc.1", "1.1.9"]),
    (">=1.2, <2.0.0", ["1.2.0"], ["2.0.0"]),
    (">1.2", ["1.3.0"], ["1.2.9"]),
    (">1.2.3", ["1.2.4"], ["1.2.3"]),
    (">1.2.3-rc.1", ["1.2.3"], ["1.2.3-rc.1", "1.2.3-beta"]),
    ("<=1.2", ["1.2.9", "0.1.0"], ["1.3.0"]),
    ("<=1.2.3", ["1.2.3"], ["1.2.4"]),
    ("v1.4.2", ["1.4.2"], ["1.4.3"]),
    (">=0.0.0", ["0.0.0", "99.0.0"], []),
]


@pytest.mark.parametrize(("text", "inside", "outside"), CASES, ids=[case[0] for case in CASES])
def test_a_constraint_allows_what_it_says(text: str, inside: list[str], outside: list[str]) -> None:
    read = constraint(text)
    assert [each for each in inside if not read.allows(Version.parse(each))] == []
    assert [each for each in outside if read.allows(Version.parse(each))] == []


@pytest.mark.parametrize(
    "text", ["", " ", "latest", "^", "1.4 ||", ">=1.2<2", "1.2.3.4", "x", "^1..2", "1.2-", "~>1.2"]
)
def test_what_is_no_constraint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\^1\.4"):
        constraint(text)


@pytest.mark.parametrize(
    ("tag", "suffix", "version"),
    [
        ("1.4.2", "", "1.4.2"),
        ("v1.4.2", "", "1.4.2"),
        ("1.4.2-rc.1", "", "1.4.2-rc.1"),
        ("1.4.2-alpine", "-alpine", "1.4.2"),
        ("1.4.2", "-alpine", None),
        ("latest", "", None),
        ("1.4", "", None),
        ("sha-0123456", "", None),
        ("01.2.3", "", None),
        ("", "", None),
    ],
)
def test_a_tag_is_a_version_or_none(tag: str, suffix: str, version: str | None) -> None:
    assert version_of(tag, suffix) == (None if version is None else Version.parse(version))
