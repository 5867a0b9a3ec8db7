"""Write the baseline of P1: every resource of the thousand stack, as our own program registers it today.

`python -m bench.record` makes `bench/naive/thousand.json.gz`. The file is committed and fixed: record again only when
the bench stack or the SDKs' major versions change, and say so in docs/performance.md.
"""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from bench.program import HERE, PROJECT, Engine, configuration

BASELINE: Final = HERE / "naive" / "thousand.json.gz"
STACK: Final = HERE / "stacks" / "thousand.yaml"
PACKAGES: Final = {
    "aws": "pulumi_aws",
    "gcp": "pulumi_gcp",
    "azure-native": "pulumi_azure_native",
    "kubernetes": "pulumi_kubernetes",
}
PROVIDER: Final = "pulumi:providers:"
OURS: Final = ("pulumi-python:", f"{PROVIDER}pulumi-python")
"""What a program by hand would not have: its sizes are typed in."""


def classes() -> dict[str, str]:
    """Return the class of each resource type as a dotted name, from the SDKs' own tables."""
    found: dict[str, str] = {}
    for package, root in PACKAGES.items():
        found[f"{PROVIDER}{package}"] = f"{root}.Provider"
        spec = importlib.util.find_spec(root)
        assert spec is not None
        assert spec.origin is not None
        table = re.search(r'resource_modules="""(.*?)"""', Path(spec.origin).read_text(), re.DOTALL)
        assert table is not None, f"{root} has no table of its resources any more"
        for module in json.loads(table[1]):
            found |= {kind: f"{module['fqn']}.{name}" for kind, name in module["classes"].items()}
    return found


def spelled(dotted: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs under the names of the class's constructor; what it sets itself is left out."""
    from pulumi import _types  # noqa: PLC0415 - private: the only place where wire names and ours stand side by side

    package, _, name = dotted.rpartition(".")
    kind = getattr(importlib.import_module(package), name)
    module = sys.modules[kind.__module__]
    arguments = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")
    names = {wire: ours for ours, wire, _ in _types._py_properties(arguments)}  # noqa: SLF001
    names |= {"resourceName": "resource_name_"} if "resourceName" in names else {}  # as the SDKs avoid the clash
    return {names[key]: value for key, value in inputs.items() if key in names}


def main() -> None:
    """Record and write, the same bytes for the same program."""
    with Engine() as engine:
        run = engine.run(PROJECT, configuration(STACK), record=True).checked()
    known = classes()
    resources = [
        {
            "class": known[one["type"]],
            "name": one["name"],
            "inputs": spelled(known[one["type"]], one["inputs"]),
            "provider": one["provider"],
        }
        for one in run.counted["recorded"]
        if not one["type"].startswith(OURS)
    ]
    text = json.dumps(resources, sort_keys=True, separators=(",", ":"))
    BASELINE.write_bytes(gzip.compress(text.encode(), mtime=0))
    sys.stdout.write(f"{len(resources)} resources, {BASELINE.stat().st_size} bytes: {BASELINE}\n")


if __name__ == "__main__":
    main()
