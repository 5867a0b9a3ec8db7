"""Which images have something newer, and what becomes of it: a file changed, a commit made, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from automation.exits import Ending, Exit
from automation.images.catalogue import Catalogue
from automation.images.constraint import version_of
from automation.images.files import Place, changed, places, read
from automation.images.reference import Reference, parse
from automation.images.wish import FILE, Follow, Wish, load
from automation.oci import UnfitError, UnreachableError

State = Literal["newer", "pinned", "same", "moved", "failed"]


@dataclass(frozen=True)
class Change:
    """What became of one image: `before` and `after` are `TAG@DIGEST`; `text` says why it failed or was refused."""

    image: str
    state: State
    before: tuple[str, ...]
    tag: str
    digest: str
    step: str
    places: tuple[Place, ...]
    text: str = ""

    def told(self, folder: Path) -> dict[str, Any]:
        """The same for machines."""
        files = sorted({str(place.file.relative_to(folder)) for place in self.places})
        made = {"image": self.image, "state": self.state, "before": list(self.before), "files": files}
        after = f"{self.tag}@{self.digest}" if self.digest else ""
        return {**made, "after": after, "step": self.step, "text": self.text}


def look(folder: Path, catalogue: Catalogue, only: Iterable[str] = ()) -> list[Change]:
    """Ask the registries for every image that the folder follows; nothing is written.

    Raises Ending 2 for a file that is wrong, an image that no manifest names, versions beyond their constraint, and
    places that disagree on the version.
    """
    wish = load(folder)
    wanted = _chosen(wish, only, folder)
    found = places(folder, frozenset(wanted))
    by_image = {name: tuple(place for place in found if place.image.name == name) for name in wanted}
    if wrong := [line for name, follow in wanted.items() for line in _contradictions(name, follow, by_image[name])]:
        raise Ending(Exit.WRONG_INPUT, "images", f"{folder}: {len(wrong)} to fix:", tuple(wrong))
    silent: dict[str, str] = {}
    return [_asked(name, follow, by_image[name], catalogue, silent) for name, follow in wanted.items()]


def _chosen(wish: Wish, only: Iterable[str], folder: Path) -> Mapping[str, Follow]:
    names = []
    for each in only:
        try:
            names.append(parse(each).name)
        except ValueError as error:
            raise Ending(Exit.WRONG_INPUT, "images", f"{each} {error}") from None
    for name in names:
        if name not in wish.images:
            known = ", ".join(wish.images)
            raise Ending(Exit.WRONG_INPUT, "images", f"{folder / FILE} follows no {name}; it follows {known}")
    return {name: follow for name, follow in wish.images.items() if not names or name in names}


def _contradictions(name: str, follow: Follow, found: tuple[Place, ...]) -> list[str]:
    if not found:
        return [f"{FILE}: {name} is named by no manifest of the folder: correct the name, or remove the line"]
    wrong = []
    for place in found:
        where, tag = f"{place.file.name}:{place.line}", place.image.tag
        if follow.tag is not None:
            if tag not in {"", follow.tag}:
                wrong.append(
                    f"{where}: {name}:{tag} is not the tag that {FILE} follows, {follow.tag}: write one of them"
                )
            continue
        version = version_of(tag, follow.suffix)
        if tag and version is None:
            wrong.append(f"{where}: {name}:{tag} is no version: follow it by `tag: {tag}`, or write a version")
        elif version is not None and not follow.bounds().allows(version):
            wrong.append(f"{where}: {name}:{tag} is outside of {follow.constraint}: correct one of them")
    return wrong


def _asked(name: str, follow: Follow, found: tuple[Place, ...], catalogue: Catalogue, silent: dict[str, str]) -> Change:
    image = parse(name)
    before = tuple(sorted({f"{place.image.tag}@{place.image.digest}".strip("@") for place in found}))

    def told(state: State, text: str = "", tag: str = "", digest: str = "", step: str = "") -> Change:
        return Change(name, state, before, tag, digest, step, found, text)

    if image.host in silent:
        return told("failed", silent[image.host])
    try:
        tag = _newest(image, follow, found, catalogue)
        digest = catalogue.digest(image, tag, follow.platforms)
    except UnreachableError as problem:
        silent[image.host] = str(problem)
        return told("failed", str(problem))
    except UnfitError as problem:
        return told("failed", str(problem))
    held = {place.image.digest for place in found if place.image.tag == tag and place.image.digest}
    if follow.tag is None and (strange := held - {digest}):
        text = f"{name}:{tag} is written as {', '.join(sorted(strange))} and is {digest} at its registry"
        return told("moved", text, tag, digest)
    if all((place.image.tag, place.image.digest) == (tag, digest) for place in found):
        return told("same", "", tag, digest)
    known = {place.image.tag for place in found}
    untold = {place.image.digest for place in found if not place.image.tag} - {"", digest}
    state: State = "newer" if known - {tag, ""} or untold or (follow.tag is not None and held) else "pinned"
    return told(state, "", tag, digest, _step(known, tag, follow))


def _newest(image: Reference, follow: Follow, found: tuple[Place, ...], catalogue: Catalogue) -> str:
    """Pick the tag of the newest version that may come; never one below what a manifest has. Raises UnfitError."""
    if follow.tag is not None:
        return follow.tag
    bounds = follow.bounds()
    known = {place.image.tag for place in found if place.image.tag}
    fitting = []
    for tag in {*catalogue.tags(image)}:
        version = version_of(tag, follow.suffix)
        if version is None or not bounds.allows(version) or (version.prerelease and not follow.prerelease):
            continue
        alike = any(tag.startswith("v") == each.startswith("v") for each in known) or not known
        fitting.append((version, tag in known, alike, tag))
    if not fitting:
        raise UnfitError(f"{image.name} has no version within {follow.constraint}")
    version, *_, tag = max(fitting)
    for each in known:
        held = version_of(each, follow.suffix)
        if held is not None and held > version:
            raise UnfitError(f"{image.name}:{each} is newer than all that its registry has ({tag}): nothing goes back")
    return tag


def _step(known: set[str], tag: str, follow: Follow) -> str:
    """Say how large the step is, from the lowest version that is left."""
    after = version_of(tag, follow.suffix)
    held = [version for each in known if (version := version_of(each, follow.suffix)) is not None]
    if after is None or not held:
        return "tag" if follow.tag is not None else "first"
    low = min(held)
    if low == after:
        return "digest"
    return "major" if low.major != after.major else "minor" if low.minor != after.minor else "patch"


def update(
    folder: Path,
    catalogue: Catalogue,
    commit: Callable[[Change, Mapping[Path, str]], str] | None,
    only: Iterable[str] = (),
) -> tuple[list[Change], list[str]]:
    """Look, and make one commit for each image that has something newer; `commit` None means a dry run.

    Returns what became of each image and the commits. Raises Ending 4 when a version was published anew: nothing is
    written then.
    """
    found = look(folder, catalogue, only)
    if moved := [each for each in found if each.state == "moved"]:
        sentence = "versions were published anew under a tag that is in use: nothing is written"
        raise Ending(Exit.REFUSED, "moved", sentence, tuple(each.text for each in moved))
    commits = []
    for each in found:
        if each.state not in {"newer", "pinned"} or commit is None:
            continue
        texts = {}
        # a commit before may have moved what stands further down in a file: look again at where things are
        for file in {place.file for place in each.places}:
            mine = [place for place in places(folder, frozenset({each.image})) if place.file == file]
            texts[file] = changed(read(file), mine, each.tag, each.digest)
        commits.append(commit(each, texts))
    return found, commits
