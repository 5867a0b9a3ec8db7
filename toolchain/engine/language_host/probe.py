"""Runs in the project's own Python (3.8 or newer, standard library only): prints what is asked as one JSON line.

`probe.py about | packages | dependencies`
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

OWN_PROTOCOL = ("pulumi-policy", "pulumi-esc-sdk")  # named like providers, but none
PLUGIN_FILE = "pulumi-plugin.json"


def canonical(name: str) -> str:
    """Return a distribution's name as indexes spell it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions() -> dict[str, tuple[str, str, Any]]:
    """Return canonical name -> (name, version, distribution), the first on sys.path wins, in alphabetical order."""
    found: dict[str, tuple[str, str, Any]] = {}
    for distribution in importlib.metadata.distributions():
        # The folder's name says both without parsing METADATA (1 ms each)
        folder = getattr(distribution, "_path", None)
        match = re.fullmatch(r"(.+?)-([^-]+)\.dist-info", folder.name) if folder is not None else None
        name, version = match.groups() if match else (distribution.metadata["Name"], distribution.version)
        if name:
            found.setdefault(canonical(name), (name, version, distribution))
    return dict(sorted(found.items()))


def plugin_file(name: str) -> Any:
    """Return the parsed plug-in file of a distribution's top-level module, None without one."""
    module = name.replace("-", "_")
    for module_name in dict.fromkeys([module, module.lower()]):
        for folder in sys.path:
            path = Path(folder or ".", module_name, PLUGIN_FILE)
            if path.is_file():
                return json.loads(path.read_text(encoding="utf-8"))
    if canonical(name).startswith("pulumi-"):  # an editable install may be found by an import hook only
        spec = importlib.util.find_spec(module.lower())
        for folder in (spec.submodule_search_locations or []) if spec else []:
            path = Path(folder, PLUGIN_FILE)
            if path.is_file():
                return json.loads(path.read_text(encoding="utf-8"))
    return None


def packages() -> list[dict[str, Any]]:
    """Return what every provider package among the distributions says about itself."""
    answer = []
    for name, (raw, version, _) in distributions().items():
        if name in OWN_PROTOCOL:
            continue
        said = plugin_file(raw)
        if said is None and not name.startswith("pulumi-"):
            continue
        answer.append({"distribution": name, "version": version, "plugin": said})
    return answer


def dependencies() -> list[dict[str, Any]]:
    """Return every distribution with the names that it requires here."""
    marker = marker_class()
    return [
        {"name": name, "version": version, "requires": sorted(required(distribution, marker))}
        for name, (_, version, distribution) in distributions().items()
    ]


def required(distribution: Any, marker: Any) -> set[str]:
    """Return the canonical names that a distribution requires in this environment, extras left out."""
    names = set()
    for line in distribution.requires or []:
        requirement, _, condition = line.partition(";")
        name = re.match(r"\s*([A-Za-z0-9._-]+)", requirement)
        if name and (not condition.strip() or holds(marker, condition)):
            names.add(canonical(name[1]))
    return names


def holds(marker: Any, condition: str) -> bool:
    """Evaluate an environment marker without any extra."""
    if marker is None:
        return "extra" not in condition
    return bool(marker(condition).evaluate({"extra": ""}))


def marker_class() -> Any:
    """Return the class that evaluates environment markers, from wherever it is installed."""
    for module in ("packaging.markers", "pip._vendor.packaging.markers"):
        try:
            return importlib.import_module(module).Marker
        except ImportError:
            continue
    return None


def about() -> dict[str, str]:
    """Return the interpreter, its version and pip's."""
    try:
        pip = importlib.metadata.version("pip")
    except importlib.metadata.PackageNotFoundError:
        pip = ""
    version = "{}.{}.{}".format(*sys.version_info[:3])
    return {"executable": sys.executable, "version": version, "pip": pip}


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file, no part of the project
    asked = {"about": about, "packages": packages, "dependencies": dependencies}[sys.argv[1]]
    sys.stdout.write(json.dumps({"python": list(sys.version_info[:2]), "answer": asked()}) + "\n")
