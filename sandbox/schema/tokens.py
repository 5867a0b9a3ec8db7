"""Which type tokens a package has, and in which file each class lives."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from importlib import metadata
from pathlib import Path
from typing import Final

PACKAGES: Final[dict[str, str]] = {
    "aws": "pulumi_aws",
    "gcp": "pulumi_gcp",
    "azure-native": "pulumi_azure_native",
    "cloudflare": "pulumi_cloudflare",
    "kubernetes": "pulumi_kubernetes",
}


@functools.cache
def folder(package: str) -> Path:
    """Find the folder of an SDK without importing it."""
    spec = importlib.util.find_spec(PACKAGES[package])
    if spec is None or spec.origin is None:
        raise LookupError(f"{PACKAGES[package]} is not installed: pip install -r requirements.txt")
    return Path(spec.origin).parent


@functools.cache
def version(package: str) -> str:
    """Version of the installed SDK, which is the version of the provider that is stood in for."""
    return metadata.version(PACKAGES[package])


@functools.cache
def tokens(package: str) -> dict[str, tuple[str, str]]:
    """Map each type token to its module and class; read from the `resource_modules` table of the SDK."""
    text = (folder(package) / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'resource_modules="""\n(.*?)"""', text, re.DOTALL)
    if not found:
        raise LookupError(f"{PACKAGES[package]} {version(package)} has no resource_modules table")
    return {
        token: (module["fqn"], name)
        for module in json.loads(found.group(1))
        for token, name in module["classes"].items()
    }


@functools.cache
def class_file(package: str, token: str) -> tuple[Path, str]:
    """Find the file that defines the class of a token."""
    module, name = tokens(package)[token]
    directory = folder(package).joinpath(*module.split(".")[1:])
    direct = directory / f"{name}.py"
    if direct.exists():
        return direct, name
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    if (directory / f"{snake}.py").exists() and f"\nclass {name}(" in (directory / f"{snake}.py").read_text("utf-8"):
        return directory / f"{snake}.py", name
    for path in sorted(directory.glob("*.py")):
        if not path.name.startswith(("_", "outputs")) and f"\nclass {name}(" in path.read_text(encoding="utf-8"):
            return path, name
    raise LookupError(f"{token}: class {name} not found under {directory}")
