"""The clouds we know, their priced regions, and where each region sits in the address plan."""

from __future__ import annotations

from typing import Final, Literal

Cloud = Literal["aws", "gcp", "azure"]

CLOUDS: Final[tuple[Cloud, ...]] = ("aws", "gcp", "azure")
"""Order is a promise: a cloud's position is its position in the address plan. Append only."""

REGION_SLOTS: Final[dict[Cloud, dict[str, int]]] = {
    "aws": {"eu-west-1": 0, "us-east-1": 1, "us-west-2": 2},
    "gcp": {"europe-west1": 0, "us-central1": 1, "us-east4": 2},
    "azure": {"westeurope": 0, "eastus": 1, "westus2": 2},
}
"""Regions with a dated price (sizing/data/instance_prices.csv) and their fixed address slot. Append only.

A region without prices cannot be sized and is refused; adding one is described in the README.
"""
