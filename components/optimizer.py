"""The dynamic provider that sizes node pools: demand and prices in, numbers that a preview already knows out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult
from pulumi.dynamic import ResourceProvider as DynamicProvider

from components.contracts import SizedPool
from components.live import LiveSizes
from stacks.model import NodePool

PLANNED: Final = ("plan", "pool_objects", "document", "document_hash")
"""What `check` adds to the inputs. Made in `create` they would be unknown in every preview of a change."""


class PythonProvider(pulumi.ProviderResource):
    """The explicit provider of dynamic resources.

    The default one takes the whole project configuration, secrets in plain text, as its inputs.
    """

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pulumi-python", name, {}, opts)


class SizingProvider(DynamicProvider):
    """Solves in `check`: the engine stores this class by reference, so its module path and name are a promise."""

    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Add the plan to the inputs; the last plan is at hand in `_olds` for hysteresis."""
        from components import plans, solving  # noqa: PLC0415  the room of sizing loads only where it runs
        from sizing.evidence import SizingRefused, sizing_outputs  # noqa: PLC0415

        asked = {key: value for key, value in news.items() if key not in PLANNED}
        solver = solving.Solving(plans.of_environment(os.environ, pulumi.log.warn))
        try:
            planned = sizing_outputs(asked["problems"], _olds.get("document"), asked.get("placement"), solver=solver)
        except SizingRefused as refused:
            return CheckResult(asked, [CheckFailure("", str(refused))])
        except Exception as error:  # noqa: BLE001  a bare exception would reach the user without a word of context
            return CheckResult(asked, [CheckFailure("", f"sizing failed: {type(error).__name__}: {error}")])
        finally:
            solver.meter(os.environ)
        return CheckResult({**asked, **planned}, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Never a replacement: on one, `check` would run without the old plan and hysteresis would be lost."""
        changed = [key for key in _news if key != "__provider" and _olds.get(key) != _news[key]]
        return DiffResult(changes=bool(changed), replaces=[], stables=[], delete_before_replace=False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Keep the plan that `check` made; the id is fixed because a stack has one plan."""
        return CreateResult("sizing", props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return what is stored: a plan has no life outside the state."""
        return ReadResult(id_, props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Take the new plan whole; the inherited method would wipe the outputs."""
        return UpdateResult(_news)


class Sizing(Resource, module="sizing", name="Sizing"):
    """The sizing plan of a stack, one part per slot of each pool of each cluster."""

    plan: pulumi.Output[dict[str, Any]]
    pool_objects: pulumi.Output[dict[str, Any]]
    document: pulumi.Output[str]
    document_hash: pulumi.Output[str]

    def __init__(
        self, name: str, problems: str, seed: int, opts: pulumi.ResourceOptions, placement: str | None = None
    ) -> None:
        """`problems` is one canonical JSON string: as a string nothing in it is rounded, dropped or reordered.

        So is `placement`, the account of how pods were shared out; None where the stack file leaves nothing open.
        """
        from sizing.evidence import code_hash  # noqa: PLC0415  the provider's process imports this module too

        # an edited solver alone would otherwise make no diff (CH-06)
        props: dict[str, Any] = dict.fromkeys(PLANNED) | {"problems": problems, "seed": seed, "code": code_hash()}
        if placement is not None:
            props["placement"] = placement
        super().__init__(SizingProvider(), name, props, opts)

    def slot(self, cluster: str, pool: str, number: int, wish: NodePool, live: LiveSizes) -> SizedPool:
        """Read one slot of the plan; `desired` never falls below what runs now, the autoscaler owns it afterwards."""
        key = f"{pool}-{number}"
        part = self.plan[cluster][key]
        running = live.of(cluster, key)
        return SizedPool(
            key=key,
            pool=pool,
            slot=number,
            wish=wish,
            instance_type=part["instance_type"],
            minimum=part["min"].apply(int),
            desired=part.apply(lambda p: _desired(p, running)),
            maximum=part["max"].apply(int),
            evidence=part["evidence"],
        )


def _desired(part: Mapping[str, Any], running: int | None) -> int:
    planned = int(part["desired"]) if running is None else max(int(part["min"]), running)
    return min(planned, int(part["max"]))
