"""The fixture that lends a real Kubernetes control plane to tests; import it in a conftest."""

from collections.abc import Iterator

import pytest

from toolchain.cluster import ControlPlane


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """One plane for the whole test run, without scheduler and kwok."""
    with ControlPlane() as plane:
        yield plane
