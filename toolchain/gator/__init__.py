"""Gatekeeper's own judge of templates and constraints, without a cluster, built from its Go module."""

from __future__ import annotations

from toolchain.gator.recipe import locate, recipe

__all__ = ["locate", "recipe"]
