"""One stage per test module, and engines that speak to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.engine import Engine


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("stage")) as sandbox:
        yield sandbox


@pytest.fixture
def connect(stage: Sandbox) -> Iterator[Callable[..., Engine]]:
    opened: list[Engine] = []

    def open_engine(package: str, config: dict[str, Any] | None = None) -> Engine:
        opened.append(Engine(stage.endpoints[package], package, config))
        return opened[-1]

    yield open_engine
    for engine in opened:
        engine.close()


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., tuple[Sandbox, Engine]]]:
    """Start a stage of its own with a fault plan."""
    running: list[Sandbox] = []
    opened: list[Engine] = []

    def start(plan: dict[str, Any], package: str = "aws", state: Path | None = None) -> tuple[Sandbox, Engine]:
        sandbox = Sandbox(state or tmp_path / "stage", plan).start()
        running.append(sandbox)
        opened.append(Engine(sandbox.endpoints[package], package))
        return sandbox, opened[-1]

    yield start
    for engine in opened:
        engine.channel.close()
    for sandbox in running:
        sandbox.stop()
