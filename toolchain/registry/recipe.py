"""What the registry's folder is made of: one Go program, pinned by go.sum (Apache-2.0)."""

from __future__ import annotations

from pathlib import Path

from toolchain.build import Recipe, content_hash, go_programs

MODULE = Path(__file__).resolve().parent
SOURCES = ("go.mod", "go.sum", "main.go")


def recipe() -> Recipe:
    """Return the recipe of the registry for the sources as they are now."""
    return Recipe(
        name="registry",
        key=content_hash([MODULE / name for name in SOURCES]),
        make=go_programs(MODULE, {"registry": "."}),
    )
