"""Writes charter/data/taggable.json: which types carry tags as a map of texts, and in which property.

Read from the sources of the installed SDKs, as text: the pack itself must start within a second and imports no SDK.
Run it after an SDK was upgraded: `python policies/taggable.py`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path

PARAMETERS = {"aws": ("tags",), "azure-native": ("tags",), "gcp": ("labels", "resource_labels", "user_labels")}
TARGET = Path(__file__).parent / "charter" / "data" / "taggable.json"
TOKEN = re.compile(r"super\(\w+, __self__\)\.__init__\(\s*'([^']+)'")
BODY = re.compile(r"def _internal_init\(.*?\):\n", re.DOTALL)
TEXTS = "Mapping[str, pulumi.Input[_builtins.str]]"
EXCEPTIONS = ("gcp:gkehub/",)
"""Labels there select fleet members, they do not describe them."""


def types(package: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each type of a package with the properties that carry its tags."""
    found = util.find_spec(f"pulumi_{package.replace('-', '_')}")
    if found is None or found.origin is None:
        sys.exit(f"pulumi-{package} is not installed: run `make install` first")
    for source in sorted(Path(found.origin).parent.rglob("*.py")):
        text = source.read_text("utf-8")
        token, body = TOKEN.search(text), BODY.search(text)
        if token and body:
            lines = body.group().splitlines()
            names = [name for name in PARAMETERS[package] if any(_carries(line, name) for line in lines)]
            yield token.group(1), [re.sub(r"_(\w)", lambda m: m.group(1).upper(), name) for name in names]


def _carries(line: str, name: str) -> bool:
    return line.strip().startswith(f"{name}: ") and TEXTS in line


def table() -> dict[str, object]:
    """Return the table with the versions it was read from."""
    taggable = {
        token: names[0]
        for package in PARAMETERS
        for token, names in types(package)
        if names and not token.startswith(EXCEPTIONS)
    }
    versions = {package: metadata.version(f"pulumi-{package}") for package in PARAMETERS}
    return {"versions": versions, "types": dict(sorted(taggable.items()))}


if __name__ == "__main__":
    made = table()
    TARGET.write_text(json.dumps(made, indent=0) + "\n", "utf-8")
    sys.stdout.write(f"{TARGET}: {len(made['types'])} types\n")  # type: ignore[arg-type]
