"""The step `push-images`: the same image into the registries of all clouds, told by its digest afterwards."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from automation.exits import Ending, Exit

SECONDS: Final = 1800
_REGISTRY: Final = re.compile(r"[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9][a-z0-9._-]*)*")
_IMAGE: Final = re.compile(r"[a-z0-9][a-z0-9._-]*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST: Final = re.compile(r"@(sha256:[0-9a-f]{64})$")
Run = Callable[[Sequence[str]], str]


def docker(words: Sequence[str]) -> str:
    """Run docker; what it said when it failed ends the step (exit 1)."""
    ran = subprocess.run(  # noqa: S603 - a list of words, no shell
        ["docker", *words],  # noqa: S607 - the user's docker
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
    )
    if ran.returncode:
        raise Ending(Exit.FAILED, "docker", f"docker {words[0]} failed: {ran.stderr.strip()[-500:]}")
    return ran.stdout


def checked(registries: Mapping[str, str], images: Iterable[str]) -> None:
    """Names that docker takes as they are; anything else is wrong input (exit 2)."""
    if not registries:
        raise Ending(Exit.WRONG_INPUT, "registries", "config/delivery.yaml names no registry: give images.registries")
    wrong = [text for text in registries.values() if not _REGISTRY.fullmatch(text)]
    wrong += [text for text in images if not _IMAGE.fullmatch(text)]
    if wrong:
        raise Ending(Exit.WRONG_INPUT, "registries", f"{', '.join(wrong)}: no registry or image name")


def push(registries: Mapping[str, str], images: Sequence[str], run: Run = docker) -> dict[str, dict[str, str]]:
    """Push every image to every registry. Returns image -> cloud -> digest; exits 4 when they differ."""
    checked(registries, images)
    made: dict[str, dict[str, str]] = {}
    for image in images:
        made[image] = {}
        for cloud, registry in registries.items():
            target = f"{registry}/{image}"
            run(("tag", image, target))
            run(("push", "--quiet", target))
            listed = json.loads(run(("image", "inspect", "--format", "{{json .RepoDigests}}", target)))
            own = [one for one in listed if str(one).startswith(f"{target.rsplit(':', 1)[0]}@")]
            if not own or not _DIGEST.search(own[0]):
                raise Ending(Exit.FAILED, "docker", f"{target} was pushed and has no digest")
            made[image][cloud] = own[0]
        digests = {found[1] for one in made[image].values() if (found := _DIGEST.search(one))}
        if len(digests) != 1:
            raise Ending(Exit.REFUSED, "images", f"{image} is not the same in all registries: {sorted(digests)}")
    return made


def save(made: Mapping[str, Mapping[str, str]], out: Path) -> None:
    """Write what was pushed, for later stages."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
