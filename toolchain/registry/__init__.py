"""A registry of images for tests, built from its Go module: it speaks the distribution API and keeps all in memory."""

from __future__ import annotations

from toolchain.registry.recipe import recipe

__all__ = ["recipe"]
