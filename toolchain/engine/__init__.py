"""The engine: the Pulumi CLI from Go modules, with the project's own Python language host beside it.

Standard library only (except the host's own package), so that any Python 3.11 can build it.
"""

from toolchain.engine.location import EngineNotFoundError, locate

__all__ = ["EngineNotFoundError", "locate"]
