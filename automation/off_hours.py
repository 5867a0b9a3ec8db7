"""`off-hours STACK`: what rest saves a month, from the prices that the stack is sized with."""
# ruff: noqa: FBT002 - a command's options are its parameters

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Json, Project, Quality, StackName
from automation.session import PROJECT, Options


@dataclass(frozen=True, kw_only=True)
class Rest:
    """One cluster: nodes and list price in USD a month of 730 h, while people work and while they do not."""

    cluster: str
    nodes: int
    nodes_at_rest: int
    usd_month: float
    usd_month_at_rest: float
    saving_usd_month: float
    oldest_price: str


def saving(name: str, options: Options) -> dict[str, Any]:
    """Size every cluster twice, awake and at rest; wrong input ends with 2, a demand that fits nowhere with 4.

    The rest is packed onto machines of the kinds that the plan has; the saving is the difference of the list prices
    times the share of a week in which nobody works. Exceptions are not counted, nor the minutes until nodes are gone.
    """
    import sizing  # noqa: PLC0415 - solvers load only for this command
    from automation.session import read_stack  # noqa: PLC0415
    from automation.size import sized  # noqa: PLC0415
    from sizing.plan import Infeasible  # noqa: PLC0415
    from sizing.resting import at_rest  # noqa: PLC0415
    from stacks.split import off_hours_of  # noqa: PLC0415

    hours = read_stack(name, options).off_hours
    if hours is None:
        text = f"{name} has no off_hours: see `ecosystem explain off_hours`"
        raise Ending(Exit.WRONG_INPUT, "off_hours", text)
    asked = sized(name, options)
    found: list[Rest] = []
    for cluster, problem in asked.problems.items():
        here = off_hours_of(asked.stack, cluster)
        pods = {workload: rest.pods for workload, rest in here.workloads.items()} if here is not None else {}
        awake = sizing.solve(problem)
        if isinstance(awake, Infeasible):
            raise Ending(Exit.REFUSED, "sizing", "no plan for what is asked for", tuple(awake.lines()))
        least = hours.pools if problem.cloud == "aws" else {}
        asleep = sizing.solve(at_rest(problem, awake, pods, least))
        if isinstance(asleep, Infeasible) or asleep.list_usd_month > awake.list_usd_month:
            asleep = awake  # nothing can go: what stays needs all of it
        difference = (awake.list_usd_month - asleep.list_usd_month) * hours.rest_share
        found.append(
            Rest(
                cluster=cluster,
                nodes=sum(pool.desired for pool in awake.pools),
                nodes_at_rest=sum(pool.desired for pool in asleep.pools),
                usd_month=round(awake.list_usd_month, 2),
                usd_month_at_rest=round(asleep.list_usd_month, 2),
                saving_usd_month=round(difference, 2),
                oldest_price=awake.oldest_price,
            )
        )
    return {
        "stack": name,
        "time_zone": hours.time_zone,
        "hours_worked_a_week": hours.worked,
        "rest_share": round(hours.rest_share, 6),
        "clusters": [asdict(each) for each in found],
        "usd_month": round(sum(each.usd_month for each in found), 2),
        "saving_usd_month": round(sum(each.saving_usd_month for each in found), 2),
        "oldest_price": min((each.oldest_price for each in found), default=""),
    }


@app.command(name="off-hours")
def off_hours(stack: StackName, as_json: Json = False, quality: Quality = None, project: Project = PROJECT) -> None:
    """Show what resting workloads and pools save a month, from dated prices."""
    output = Output(as_json=as_json, stack=stack)

    def work() -> Exit:
        made = saving(stack, Options(project, quality=quality))
        if as_json:
            sys.stdout.write(json.dumps(made, indent=1) + "\n")
            return Exit.OK
        for each in made["clusters"]:
            sys.stdout.write(
                f"{each['cluster']}: {each['nodes']} nodes, {each['nodes_at_rest']} at rest;"
                f" {each['usd_month']:.2f} USD a month awake,"
                f" {each['usd_month_at_rest']:.2f} if it always rested; saves {each['saving_usd_month']:.2f}\n"
            )
        sys.stdout.write(
            f"{stack} works {made['hours_worked_a_week']:g} of 168 hours ({made['time_zone']}) and saves"
            f" {made['saving_usd_month']:.2f} of {made['usd_month']:.2f} USD a month; oldest price"
            f" {made['oldest_price']}\n"
        )
        return Exit.OK

    perform(output, work)
