"""A change is shown where people look for it: by cloud, and by the component they wrote into the program."""

from __future__ import annotations

import pytest

from automation.report import place_of

STACK = "urn:pulumi:dev::cloud-ecosystem::"
PLATFORM = "ecosystem:index:Platform"


@pytest.mark.parametrize(
    ("chain", "typ", "place"),
    [
        ((), "pulumi:pulumi:Stack", ("platform", "engine")),
        ((), PLATFORM, ("platform", "Platform")),
        ((PLATFORM,), "pulumi-python:dynamic/sizing:Sizing", ("platform", "Platform")),
        ((PLATFORM, "ecosystem:aws:Network"), "aws:ec2/vpc:Vpc", ("aws", "Network")),
        ((PLATFORM, "ecosystem:aws:Network", "ecosystem:aws:Key"), "aws:kms/key:Key", ("aws", "Network")),
        ((PLATFORM, "ecosystem:azure:Cluster"), "pulumi:providers:kubernetes", ("azure", "Cluster")),
        ((PLATFORM, "ecosystem:kubernetes:ClusterBase"), "kubernetes:core/v1:Namespace", ("kubernetes", "ClusterBase")),
        ((), "aws:ec2/vpc:Vpc", ("aws", "Vpc")),
    ],
)
def test_place(chain: tuple[str, ...], typ: str, place: tuple[str, str]) -> None:
    assert place_of(f"{STACK}{'$'.join((*chain, typ))}::name", typ) == place
