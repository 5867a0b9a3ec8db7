"""The SDK's protocol stubs without the SDK.

`import pulumi.runtime.proto.language_pb2` runs `pulumi/__init__.py` first, which loads the whole SDK (0.5 s; the
engine starts a host twice in most commands). The generated modules need only their own package, so the three packages
above them are entered into `sys.modules` as empty ones that know their folder and run nothing. Only the host's own
process does this.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def _enter_packages() -> None:
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        raise ImportError("the language host's virtual environment lacks the pulumi package: build the engine again")
    folder = Path(spec.origin).parent
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        package = types.ModuleType(name)
        package.__path__ = [str(folder.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = package


_enter_packages()

from pulumi.runtime.proto import (  # noqa: E402 - the packages have to be there first
    analyzer_pb2,
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
)

__all__ = ["analyzer_pb2", "language_pb2", "language_pb2_grpc", "plugin_pb2"]
