"""Prometheus, its rule checker and Alertmanager, built from their Go modules."""

from __future__ import annotations

from toolchain.prometheus.recipe import recipe

__all__ = ["recipe"]
