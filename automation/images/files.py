"""Where manifests name images, and how a name is changed: the text around it, comments included, stays as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from automation.exits import Ending, Exit
from automation.images.reference import Reference, parse
from automation.images.wish import FILE

CONTAINERS: Final = frozenset({"containers", "initContainers", "ephemeralContainers"})
KUSTOMIZATIONS: Final = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


@dataclass(frozen=True)
class Place:
    """One name of an image in a file; `edits` says how to write another one (start, end, text with {tag}, {digest})."""

    file: Path
    line: int
    image: Reference
    edits: tuple[tuple[int, int, str], ...]


def places(folder: Path, names: frozenset[str]) -> list[Place]:
    """Find every place that names one of the images. Raises Ending (2) for a file that names one and is no YAML."""
    found: list[Place] = []
    for file in sorted(folder.rglob("*")):
        if file.suffix not in {".yaml", ".yml"} and file.name not in KUSTOMIZATIONS:
            continue
        inside = file.relative_to(folder)
        if file.name == FILE or ".git" in inside.parts or not file.is_file() or file.is_symlink():
            continue
        found += _of_file(file, names)
    return found


def changed(text: str, found: list[Place], tag: str, digest: str) -> str:
    """Write another tag and digest into the places of one file."""
    edits = sorted({edit for place in found for edit in place.edits}, reverse=True)
    for start, end, pattern in edits:
        text = text[:start] + pattern.format(tag=tag, digest=digest) + text[end:]
    return text


def read(file: Path) -> str:
    """Read a file with its line ends as they are."""
    with file.open(encoding="utf-8", newline="") as opened:
        return opened.read()


def _of_file(file: Path, names: frozenset[str]) -> Iterator[Place]:
    try:
        text = read(file)
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        body = file.read_bytes().decode("utf-8", errors="replace")
        if any(_short(name) in body for name in names):
            mark = getattr(error, "problem_mark", None)
            where = f", line {mark.line + 1}" if mark is not None else ""
            sentence = f"{file}{where}: names an image that is followed, and is no YAML: correct it, or move it away"
            raise Ending(Exit.WRONG_INPUT, "images", sentence) from None
        return
    for document in documents:
        if file.name in KUSTOMIZATIONS:
            yield from _kustomized(file, document, names)
        elif document is not None:
            yield from _contained(file, document, names, set())


def _short(name: str) -> str:
    """The part of a name that stands in a manifest however the image is written."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def _reference(text: str) -> Reference | None:
    try:
        return parse(text)
    except ValueError:
        return None


def _contained(file: Path, node: yaml.Node, names: frozenset[str], seen: set[int]) -> Iterator[Place]:
    """Yield `image` of containers, wherever a kind keeps its pods' template; an anchor is one place."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _contained(file, item, names, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in CONTAINERS and isinstance(value, yaml.SequenceNode):
                for item in value.value:
                    yield from _container(file, _value(item, "image"), names, seen)
            yield from _contained(file, value, names, seen)


def _container(file: Path, image: yaml.ScalarNode | None, names: frozenset[str], seen: set[int]) -> Iterator[Place]:
    if image is None or id(image) in seen:
        return
    seen.add(id(image))
    held = _reference(image.value)
    if held is not None and held.name in names:
        name = image.value.partition("@")[0]
        bare = name.removesuffix(f":{held.tag}") if held.tag else name
        yield Place(file, image.start_mark.line + 1, held, (_scalar(image, f"{bare}:{{tag}}@{{digest}}"),))


def _kustomized(file: Path, node: yaml.Node | None, names: frozenset[str]) -> Iterator[Place]:
    """Yield entries of `images`: name or newName, newTag, digest (kubectl.docs.kubernetes.io, kustomization/images)."""
    entries = _of(node, "images")
    for entry in entries.value if isinstance(entries, yaml.SequenceNode) else ():
        name, named = _value(entry, "name"), _value(entry, "newName")
        tag, digest = _value(entry, "newTag"), _value(entry, "digest")
        if name is None:
            continue
        image = _reference((named or name).value)
        if image is None or image.name not in names:
            continue
        whole = Reference(image.host, image.repository, tag.value if tag else "", digest.value if digest else "")
        edits = [_scalar(tag, "{tag}")] if tag is not None else []
        edits += [_scalar(digest, "{digest}")] if digest is not None else []
        held_there = [each for each in (name, named, tag, digest) if each is not None]
        last = max(held_there, key=lambda each: each.end_mark.index)
        between = ", " if entry.flow_style else "\n" + " " * entry.value[0][0].start_mark.column
        more = "" if tag is not None else f'{between}newTag: "{{tag}}"'
        more += "" if digest is not None else f"{between}digest: {{digest}}"
        if more:
            end = last.end_mark.index
            at_end = [edit for edit in edits if edit[1] == end]
            edits = [edit for edit in edits if edit[1] != end]
            start, held = (at_end[0][0], at_end[0][2]) if at_end else (end, "")
            edits.append((start, end, held + more))
        yield Place(file, name.start_mark.line + 1, whole, tuple(edits))


def _scalar(node: yaml.ScalarNode, pattern: str) -> tuple[int, int, str]:
    """Replace a scalar; a tag is always quoted, or 1.10 would be read as a number."""
    quote = node.style if node.style in {"'", '"'} else '"' if pattern == "{tag}" else ""
    return (node.start_mark.index, node.end_mark.index, f"{quote}{pattern}{quote}")


def _of(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _value(node: yaml.Node, key: str) -> yaml.ScalarNode | None:
    found = _of(node, key)
    return found if isinstance(found, yaml.ScalarNode) else None
