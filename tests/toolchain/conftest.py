from tests.toolchain.plane import control_plane

__all__ = ["control_plane"]
