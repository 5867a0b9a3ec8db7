"""Where an alert goes: the tree of routes of an Alertmanager, and who hears of what arrives there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from charter.graph import Graph
from charter.rule import Resource
from charter.values import UNKNOWN, Reader, hazy

CONFIGURED: Final = ("kubernetes:monitoring.coreos.com/v1alpha1:AlertmanagerConfig",)
CHARTS: Final = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart")
PLACES: Final = {"kube-prometheus-stack": "alertmanager.config", "prometheus": "alertmanager.config"}
"""Where the values of a chart hold the configuration; the chart `alertmanager` has it at `config`."""
MATCHER: Final = re.compile(r"""^\s*\{?\s*([\w.:-]+)\s*(=~|!~|!=|=)\s*["']?(.*?)["']?\s*\}?\s*$""")
WAITS: Final = frozenset({"warning", "info", "notice", "low"})
"""Severities of alerts that need wake nobody: where no receiver takes them the report lists them."""
SILENT: Final = frozenset({"none"})
"""Severities of alerts that are meant for nobody: the heartbeat of kube-prometheus."""


@dataclass(frozen=True)
class Routes:
    """A tree of routes with its receivers."""

    root: Mapping[str, Any]
    receivers: Mapping[str, bool]
    """Whether anything is told, by the receiver's name."""

    def reach(self, labels: Mapping[str, Any]) -> bool:
        """Say whether somebody hears of an alert with these labels; one that may go two ways is heard on either."""
        return any(self.receivers.get(name, False) for name in _receivers(self.root, labels, ""))


def routes(graph: Graph, alert: Resource) -> list[Routes] | None:
    """Return the routes of an alert's cluster; None when one is not known yet."""
    found: list[Routes] = []
    for holder in graph.of(*CHARTS, *CONFIGURED):
        if holder.provider_urn != alert.provider_urn:
            continue
        config = _config(holder)
        if config is UNKNOWN:
            return None
        route = config.get("route") if isinstance(config, dict) else None
        if route is UNKNOWN:
            return None
        if isinstance(route, dict):
            receivers = config.get("receivers")
            if hazy(route) or receivers is UNKNOWN or hazy([_name(each) for each in _listed(receivers)]):
                return None
            found.append(Routes(route, _told(receivers)))
    return found


def _config(holder: Resource) -> Any:
    if holder.type in CONFIGURED:
        return holder.props.get("spec")
    if holder.reader.raw("chart") is UNKNOWN:
        return UNKNOWN if holder.reader.raw("values.alertmanager.config") is not None else None
    chart = str(holder.reader.raw("chart")).rstrip("/").rpartition("/")[2].partition(":")[0]
    if chart == "alertmanager":
        return holder.reader.raw("values.config")
    return holder.reader.raw(f"values.{PLACES[chart]}") if chart in PLACES else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _name(receiver: Any) -> Any:
    return receiver.get("name") if isinstance(receiver, dict) else receiver


def _told(receivers: Any) -> dict[str, bool]:
    """Return which receivers tell anybody: those that have more than a name."""
    return {
        str(each.get("name")): any(value not in (None, [], {}) for key, value in each.items() if key != "name")
        for each in _listed(receivers)
        if isinstance(each, dict)
    }


def _receivers(route: Mapping[str, Any], labels: Mapping[str, Any], above: str) -> Iterator[str]:
    own = str(route.get("receiver") or above)
    surely = False
    for child in _listed(route.get("routes")):
        if not isinstance(child, dict):
            continue
        fits = _fits(child, labels)
        if fits is not False:
            yield from _receivers(child, labels, own)
        if fits is True:
            surely = True
            if not child.get("continue"):
                return
    if not surely:
        yield own


def _fits(route: Mapping[str, Any], labels: Mapping[str, Any]) -> bool | None:
    """Say whether a route takes an alert; None when a label decides that only the series brings."""
    answers = [_holds(*each, labels) for each in _matchers(route)]
    return False if False in answers else None if None in answers else True


def _matchers(route: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for kind, sign in (("match", "="), ("match_re", "=~")):
        held = route.get(kind)
        for name, value in held.items() if isinstance(held, dict) else ():
            yield str(name), sign, str(value)
    told = route.get("matchers")
    for matcher in [told] if isinstance(told, str) else _listed(told):
        if isinstance(matcher, dict):  # as AlertmanagerConfig writes them
            reader = Reader(matcher)
            yield reader.text("name"), reader.text("matchType", "="), reader.text("value")
        elif found := MATCHER.match(str(matcher)):
            yield found[1], found[2], found[3]


def _holds(name: str, sign: str, value: str, labels: Mapping[str, Any]) -> bool | None:
    held = labels.get(name)
    if held is None or not isinstance(held, str) or "{{" in held:
        return None
    try:
        same = re.fullmatch(value, held) is not None if "~" in sign else held == value
    except re.error:
        return None
    return same != sign.startswith("!")
