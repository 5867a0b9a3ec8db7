"""Put the newest good copy in place of a broken state file."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from automation import locks, modes, places, statefile
from automation.exits import Ending, Exit
from automation.session import Options
from automation.workdir import stack_file


def restore(name: str, options: Options) -> tuple[Path, Path]:
    """Returns (the copy that was taken, where the broken file is kept); refuses while a run holds the lock."""
    stack_file(options.project, name)
    environ = dict(os.environ)
    mode = modes.decide(offline=options.offline, real=options.real, environ=environ, home=Path.home())
    project = yaml.safe_load((options.project / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    if mode.offline:
        backend = places.of(options.project, name, mode.name, environ).backend
    else:
        found = locks.backend_directory(environ.get("PULUMI_BACKEND_URL", ""))
        if found is None:
            raise Ending(
                Exit.WRONG_INPUT,
                "backend",
                "only a file backend's copies are put back here: use the bucket's versions or `pulumi stack history`",
            )
        backend = found
    living = [lock for lock in locks.held(backend, project, name) if lock.holder_lives()]
    if living:
        raise Ending(Exit.FAILED, "locked", "a run is under way: wait for it", tuple(map(str, living)))
    return statefile.restore(backend, project, name)
