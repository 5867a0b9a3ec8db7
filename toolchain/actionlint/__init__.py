"""The linter of workflows, built from its Go module."""

from __future__ import annotations

from toolchain.actionlint.recipe import locate, recipe

__all__ = ["locate", "recipe"]
