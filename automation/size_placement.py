"""What `size` says of a placement: who runs where, why, what the traffic costs, and what other splits would cost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from automation.exits import Ending, Exit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from rich.console import Console

WAYS: Final = {"internet": "to the internet and other clouds", "region": "to other regions", "zone": "between zones"}
FEW: Final = 4


def read(path: Path | None) -> Mapping[str, Any] | None:
    """The account of a placement in a file: the stack's output, an evidence document, or what `size --json` wrote."""
    if path is None:
        return None
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        found = made.get("placement", made)
        found = json.loads(found) if isinstance(found, str) else found
        for held in found["split"].values():
            if not all(pods == int(pods) >= 0 for pods in held.values()):
                raise ValueError("its split has parts of pods")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as wrong:
        why = wrong.strerror if isinstance(wrong, OSError) else f"{type(wrong).__name__}: {wrong}"
        sentence = f"{path} holds no account of a placement ({why})"
        hint = "write `pulumi stack output --json`, or `size STACK --json`, into a file"
        raise Ending(Exit.WRONG_INPUT, "placed", sentence, (hint,)) from None
    account: dict[str, Any] = found
    return account


def show(account: Mapping[str, Any], console: Console, *, explain: bool) -> None:
    """The placement before the plans that follow from it."""
    from rich.padding import Padding  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console.print(f"Placement: {account['total_usd_month']:,.0f} USD a month, traffic included", highlight=False)
    for head, lines in sections(account, explain=explain):
        console.print(Padding(Text(head, style="bold"), (0, 0, 0, 2), expand=False), highlight=False)
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 4), expand=False), highlight=False)
    console.print()


def sections(account: Mapping[str, Any], *, explain: bool) -> Iterator[tuple[str, list[str]]]:
    """Headings and their lines, in the order of reading."""
    yield "Who runs where", list(_where(account))
    yield "What it costs", list(_cost(account))
    if explain:
        yield "Why not otherwise", list(_others(account))
        if account["excluded"]:
            yield "What was left out", [f"{o['workload']} in {o['cluster']}: {o['why']}" for o in account["excluded"]]
        yield "What its traffic costs", list(_traffic(account)) or ["no traffic is charged"]


def _where(account: Mapping[str, Any]) -> Iterator[str]:
    for wish in account["question"]["wishes"]:
        held = account["split"][wish["name"]]
        told = ", ".join(f"{pods} in {cluster}" for cluster, pods in sorted(held.items()))
        yield f"{wish['name']}: {told} ({wish['pods']} in all)"


def _cost(account: Mapping[str, Any]) -> Iterator[str]:
    nodes = sum(account["nodes_usd_month"].values())
    dated = f"; oldest price {account['oldest_price']}" if account["oldest_price"] else ""
    yield f"nodes of these clusters {nodes:,.2f} USD, their traffic {account['egress_usd_month']:,.2f} USD{dated}"
    following = account["next_best_usd_month"]
    if account["kept"]:
        share = account["threshold"]
        yield f"it is the split that runs: another one must save more than {share:.0%} (sizing.threshold)"
    if following is not None:
        more = following - account["total_usd_month"]
        told = f"{abs(more):,.2f} {'less' if more < 0 else 'more'}"
        yield f"the next best split looked at costs {following:,.2f} USD, {told}"
    bound = account["bound_usd_month"]
    if bound is None:
        yield f"{account['looked_at']} splits were sized; that no other one is cheaper is not proven"
    else:
        yield f"no split costs less than {bound:,.2f} USD: all were bounded, {account['looked_at']} sized"


def _others(account: Mapping[str, Any]) -> Iterator[str]:
    for one in account["considered"]:
        told = "; ".join(
            f"{name}: {', '.join(f'{pods} in {c}' for c, pods in sorted(held.items()))}"
            for name, held in sorted(one["split"].items())
        )
        if "why" in one:
            yield f"cannot be: {told}: {one['why']}"
        else:
            nodes, traffic = one["nodes_usd_month"], one["egress_usd_month"]
            sized = "" if one["quality"] == account["quality"] else f" (sized {one['quality']})"
            yield f"{one['total_usd_month']:>12,.2f} USD  {told}: nodes {nodes:,.2f}, traffic {traffic:,.2f}{sized}"


def _traffic(account: Mapping[str, Any]) -> Iterator[str]:
    for line in account["egress"]:
        near = f", price of {line['price_region']} (approximate)" if line["approximate"] else ""
        yield (
            f"{line['cluster']} {WAYS[line['kind']]}: {line['gb']:,.0f} GB at {line['usd_per_unit']:g} USD per "
            f"{line['unit']} ({line['sku']}{near}; {line['source']}, {line['source_date']}): "
            f"{line['usd_month']:,.2f} USD"
        )
    told = [f"{flow['told']}: {flow['gb']:,.0f} GB" for flow in account["flows"]]
    if told:
        yield f"made of: {'; '.join(told[:FEW])}{f'; and {len(told) - FEW} more' if len(told) > FEW else ''}"
