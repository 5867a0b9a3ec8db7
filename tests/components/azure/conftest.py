"""The fixture of the Azure tests: build a region under the mock cloud with any wish."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.components.azure.region import Built, builder
from tests.components.mock_cloud import Cloud


@pytest.fixture
def build(cloud: Cloud) -> Callable[..., Built]:
    """Build account, network and cluster of one region; each call forgets the one before."""
    return builder(cloud)
