"""The fixture of every component test: a fresh mock cloud."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from pulumi.runtime import settings

from tests.components.mock_cloud import Cloud, attach


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Attach a cloud of memory to this process; an Output in a text is an error, not a warning."""
    monkeypatch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
    yield attach(Cloud())
    settings.reset_options()


@pytest.fixture(scope="session", autouse=True)
def _rare_collection() -> Iterator[None]:
    """Collect garbage rarely: with the SDKs loaded it is most of the time of a test under mocks."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1000)
    yield
    gc.set_threshold(*before)
