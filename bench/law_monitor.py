"""The stand-in engine, keeping everything that a state would hold: `python -m bench.law_monitor`."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from google.protobuf import json_format

from bench import monitor
from bench.monitor import OUTPUT, SIGNATURE

SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"


def kept(value: Any) -> Any:
    """Return a wire value as a state holds it: outputs become their values, secret ones stay marked."""
    if isinstance(value, list):
        return [kept(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get(SIGNATURE) == OUTPUT:
        return {SIGNATURE: SECRET, "ciphertext": "v1"} if value.get("secret") else kept(value.get("value"))
    return {key: kept(item) for key, item in value.items()}


class Keeper(monitor.Stage):
    """A stage that records each resource as an entry of a state."""

    def _note(self, request: Any, inputs: dict[str, Any]) -> None:
        super()._note(request, inputs)
        if self.record and request.custom:
            self.recorded.pop()
        if request.type != monitor.SIZING:  # its plan is added to this very map once it is solved
            inputs = kept(json_format.MessageToDict(request.object))
        self.recorded.append(
            {
                "urn": self._urn(request),
                "type": request.type,
                "custom": request.custom,
                "inputs": inputs,
                "parent": request.parent,
                "provider": request.provider,
                "protect": request.protect,
                "ignoreChanges": list(request.ignoreChanges),
                "dependencies": list(request.dependencies),
                "propertyDependencies": {
                    name: list(each.urns) for name, each in request.propertyDependencies.items() if each.urns
                },
            }
        )


if __name__ == "__main__":
    monitor.Stage = Keeper  # type: ignore[misc]  # `serve` opens stages by that name
    asyncio.run(monitor.serve())
