"""What gator's folder is made of: one Go program, pinned by go.sum."""

from __future__ import annotations

from pathlib import Path

from toolchain.build import Recipe, content_hash, go_programs

MODULE = Path(__file__).resolve().parent
VERSION = "3.23.1"
PROGRAM = "github.com/open-policy-agent/gatekeeper/v3/cmd/gator"
LINK_FLAGS = f"-X github.com/open-policy-agent/gatekeeper/v3/pkg/version.Version=v{VERSION}"


def recipe() -> Recipe:
    """Return the recipe of gator for the sources as they are now."""
    return Recipe(
        name="gator",
        key=content_hash([MODULE / "go.mod", MODULE / "go.sum"], LINK_FLAGS),
        make=go_programs(MODULE, {"gator": PROGRAM}, LINK_FLAGS),
    )
