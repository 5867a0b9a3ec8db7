"""The fixed baseline of P1: the same cloud resources, flat, with the stock SDKs and nothing done for speed.

Its inputs were recorded from our program (bench/record.py); ids and ARNs of resources declared earlier are taken from
them, as a program written by hand does.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_azure_native as azure_native
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from bench.answers import identity

SDKS = {
    "pulumi_aws": aws,
    "pulumi_azure_native": azure_native,
    "pulumi_gcp": gcp,
    "pulumi_kubernetes": kubernetes,
}


def wired(value: Any, known: dict[str, Any]) -> Any:
    """Replace the recorded id of an earlier resource by its output."""
    if isinstance(value, dict):
        return {key: wired(item, known) for key, item in value.items()}
    if isinstance(value, list):
        return [wired(item, known) for item in value]
    return known.get(value, value) if isinstance(value, str) else value


def main() -> None:
    """Declare everything, one after the other."""
    path = Path(__file__).parent / "thousand.json.gz"
    known: dict[str, Any] = {}
    providers: dict[str, Any] = {}
    for one in json.loads(gzip.decompress(path.read_bytes())):
        package, *modules = one["class"].split(".")
        kind = SDKS[package]
        for step in modules:
            kind = getattr(kind, step)
        inputs = {key: wired(value, known) for key, value in one["inputs"].items()}
        made = kind(one["name"], **inputs, opts=pulumi.ResourceOptions(provider=providers.get(one["provider"])))
        if modules == ["Provider"]:
            providers[one["name"]] = made
            continue
        known[identity(made.pulumi_resource_type, one["name"])] = made.id
        if package == "pulumi_aws" and hasattr(made, "arn"):
            service = made.pulumi_resource_type.split(":")[1].split("/")[0]
            known[f"arn:aws:{service}:eu-west-1:123456789012:{one['name']}"] = made.arn
        if package == "pulumi_gcp" and hasattr(made, "self_link"):
            known[f"https://www.googleapis.com/compute/v1/{one['name']}"] = made.self_link


main()
