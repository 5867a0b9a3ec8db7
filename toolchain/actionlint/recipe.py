"""What the linter's folder is made of: one Go program, pinned by go.sum."""

from __future__ import annotations

from pathlib import Path

from toolchain.build import Recipe, content_hash, go_build, require_go

MODULE = Path(__file__).resolve().parent
VERSION = "1.7.12"
PROGRAM = "github.com/rhysd/actionlint/cmd/actionlint"
LINK_FLAGS = f"-X github.com/rhysd/actionlint.version={VERSION}"


def recipe() -> Recipe:
    """Return the recipe of the linter for the sources as they are now."""
    return Recipe(name="actionlint", key=content_hash([MODULE / "go.mod", MODULE / "go.sum"], LINK_FLAGS), make=_make)


def _make(folder: Path) -> None:
    require_go()
    (folder / "bin").mkdir()
    go_build(MODULE, PROGRAM, folder / "bin" / "actionlint", LINK_FLAGS)


def locate() -> Path | None:
    """Return the program when it was built, else nothing: the caller says what to do."""
    program = recipe().current / "bin" / "actionlint"
    return program if program.is_file() else None
