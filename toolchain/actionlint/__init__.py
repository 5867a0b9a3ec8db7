"""The linter of workflows, built from its Go module."""

from __future__ import annotations

from toolchain.actionlint.recipe import recipe

__all__ = ["recipe"]
