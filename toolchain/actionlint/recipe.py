"""What the linter's folder is made of: one Go program, pinned by go.sum."""

from __future__ import annotations

from pathlib import Path

from toolchain.build import Recipe, content_hash, go_programs

MODULE = Path(__file__).resolve().parent
VERSION = "1.7.12"
PROGRAM = "github.com/rhysd/actionlint/cmd/actionlint"
LINK_FLAGS = f"-X github.com/rhysd/actionlint.version={VERSION}"


def recipe() -> Recipe:
    """Return the recipe of the linter for the sources as they are now."""
    return Recipe(
        name="actionlint",
        key=content_hash([MODULE / "go.mod", MODULE / "go.sum"], LINK_FLAGS),
        make=go_programs(MODULE, {"actionlint": PROGRAM}, LINK_FLAGS),
    )
