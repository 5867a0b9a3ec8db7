"""Gatekeeper's own judge of templates and constraints, without a cluster, built from its Go module."""

from __future__ import annotations

from toolchain.gator.recipe import recipe

__all__ = ["recipe"]
