"""Judges proposed fixes: one that makes a check say less is refused, whoever proposes it."""

from __future__ import annotations

import re
from typing import Final

REFUSED: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (why, re.compile(pattern, re.IGNORECASE))
    for why, pattern in (
        (
            "skips a test",
            r"pytest\.mark\.(skip|skipif|xfail)|pytest\.(skip|xfail)\(|unittest\.skip|@skip\b|importorskip",
        ),
        ("leaves tests out", r"--(ignore|deselect)\b|-k\s+[\"']?not |collect_ignore|norecursedirs"),
        ("lets a failure pass", r"continue-on-error:\s*true|allow_failure:\s*true|\|\|\s*(true|:|exit 0)|set \+e\b"),
        ("silences a linter", r"#\s*(noqa|type:\s*ignore|nosec|pylint:\s*disable)|zizmor:\s*ignore"),
        (
            "switches checks off",
            r"--(no-verify|no-policies|allow-degraded|force|trusted-host)\b|\[skip ci\]|--no-hashes",
        ),
        ("runs unhashed packages", r"require-hashes\s*=\s*false"),
        ("proves nothing", r"assert\s+True\b|^\s*pass\s+#.*test"),
    )
)
_TEST_FILE: Final = re.compile(r"(^|/)(tests?/|test_[^/]*\.py$|[^/]*_test\.py$|conftest\.py$)")


def objections(patch: str) -> list[str]:
    """Why a unified diff is no fix; [] when nothing speaks against it."""
    found = []
    file = ""
    removed = added = 0
    for line in (*patch.splitlines(), "+++ /dev/null-end"):
        if line.startswith("+++ "):
            if file and _TEST_FILE.search(file) and removed > added:
                found.append(f"{file}: takes {removed - added} lines out of the tests")
            file, removed, added = _name(line, file), 0, 0
        elif line.startswith("--- "):
            previous = line[4:].split("\t", 1)[0].removeprefix("a/")
            if file and _TEST_FILE.search(file) and removed > added:
                found.append(f"{file}: takes {removed - added} lines out of the tests")
            file, removed, added = previous, 0, 0
        elif line.startswith("+"):
            added += 1
            found += [f"{file}: {why}: {line[1:].strip()[:80]}" for why, form in REFUSED if form.search(line[1:])]
        elif line.startswith("-"):
            removed += 1
            if "require-hashes" in line:
                found.append(f"{file}: takes out --require-hashes")
    return list(dict.fromkeys(found))


def _name(line: str, previous: str) -> str:
    name = line[4:].split("\t", 1)[0].removeprefix("b/")
    return previous if name.startswith("/dev/null") else name
