"""What a folder of manifests says about its images: `image-updates.yaml`, closed and typed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from automation.exits import Ending, Exit
from automation.images.constraint import Constraint, constraint
from automation.images.reference import TAG, parse

FILE: Final = "image-updates.yaml"
Platform = Annotated[str, Field(pattern=r"^linux/(amd64|arm64)$")]


class Follow(BaseModel):
    """How one image is followed: the newest version within `constraint`, or whatever `tag` means today."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    constraint: str | None = None
    """Versions that may come: `^1.4`, `~1.4.2`, `1.4.x`, `>=1.4 <2`."""
    tag: str | None = None
    """A tag that moves; its digest is followed."""
    prerelease: bool = False
    """Whether 1.5.0-rc.1 may come."""
    suffix: str = ""
    """End of the tags that are meant: `-alpine`."""
    platforms: Annotated[tuple[Platform, ...], Field(min_length=1)] = ("linux/amd64",)
    """For which an image has to be there."""

    @field_validator("constraint")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            constraint(value)
        return value

    @field_validator("tag")
    @classmethod
    def _a_tag(cls, value: str | None) -> str | None:
        if value is not None and not TAG.fullmatch(value):
            raise ValueError("is no tag")
        return value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.constraint is None) == (self.tag is None):
            raise ValueError("needs either `constraint` (versions) or `tag` (one that moves)")
        if self.tag is not None and (self.prerelease or self.suffix):
            raise ValueError("follows a tag: `prerelease` and `suffix` are for versions")
        return self

    def bounds(self) -> Constraint:
        """Give the constraint, read. Raises ValueError where a tag is followed."""
        if self.constraint is None:
            raise ValueError("follows a tag, not versions")
        return constraint(self.constraint)


class Wish(BaseModel):
    """The whole file: images by name, without tag and digest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: Annotated[dict[str, Follow], Field(min_length=1)]

    @field_validator("images")
    @classmethod
    def _names(cls, value: dict[str, Follow]) -> dict[str, Follow]:
        found: dict[str, Follow] = {}
        for name, follow in value.items():
            try:
                read = parse(name)
            except ValueError as error:
                raise ValueError(f"{name} {error}") from None
            if read.tag or read.digest:
                raise ValueError(f"{name} has a tag or a digest: name the image alone")
            if read.name in found:
                raise ValueError(f"{name} is there twice, as {read.name}")
            found[read.name] = follow
        return found


def load(folder: Path) -> Wish:
    """Read the folder's file. Raises Ending (2) with file, path and what to do."""
    path = folder / FILE
    try:
        data: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return Wish.model_validate(data)
    except FileNotFoundError:
        sentence = f"{path} is missing: write which images are followed, for example"
        example = ("images:", "  ghcr.io/example/gateway: {constraint: ^1.4}")
        raise Ending(Exit.WRONG_INPUT, "images", sentence, example) from None
    except ValidationError as error:
        details = tuple(
            f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_input=False, include_url=False)
        )
        raise Ending(Exit.WRONG_INPUT, "images", f"{path} is wrong ({len(details)} to fix):", details) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f", line {line + 1}" if line is not None else ""
        raise Ending(Exit.WRONG_INPUT, "images", f"{path}{where} cannot be read as YAML") from None
