"""The stores beside one cluster and the workloads that use them: identities, users, and the way through the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.contracts import Cluster, HeldStore, Make, StoreArgs
from components.grants import Holder
from components.kubernetes.store_access import Opening, StoreAccess
from stacks.addresses import RegionPlan
from stacks.data import Store


@dataclass(frozen=True, kw_only=True)
class StoresArgs:
    """`wishes` of the stack file for this cluster, by name; `makers` by engine are the cloud's."""

    wishes: Mapping[str, Store]
    environment: str
    plan: RegionPlan
    copy_region: str | None
    copy_zones: int
    protect: bool
    makers: Mapping[str, Make]
    after: Sequence[pulumi.Resource] = ()


class Stores(pulumi.ComponentResource):
    """Every store first, then each user once, with rights on all the stores that name it."""

    held: Mapping[str, HeldStore]

    def __init__(
        self, name: str, args: StoresArgs, network: Any, cluster: Cluster, opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__("ecosystem:index:Stores", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.held = held = {
            key: args.makers[wish.engine](f"{name}-{key}", _args(key, wish, args), network, cluster, child)
            for key, wish in args.wishes.items()
        }
        users = sorted({user for wish in args.wishes.values() for user in wish.users})
        for user in users:
            holder = Holder(*user.split("/"))
            mine = {key: held[key] for key, wish in args.wishes.items() if user in wish.users}
            identity = cluster.identity_for(holder, [store.grant(holder) for store in mine.values()])
            for key, store in mine.items():
                login = store.let_in(holder, identity)
                StoreAccess(
                    f"{name}-{key}-{holder.key}",
                    Opening(key=key, store=store, holder=holder, login=login, identity=identity, after=args.after),
                    cluster,
                    child,
                )
        self.register_outputs({"stores": sorted(held)})


def _args(key: str, wish: Store, args: StoresArgs) -> StoreArgs:
    return StoreArgs(
        key=key,
        environment=args.environment,
        region=args.plan.region,
        wish=wish,
        plan=args.plan,
        copy_region=args.copy_region,
        copy_zones=args.copy_zones,
        protect=args.protect,
    )
