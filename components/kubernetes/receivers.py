"""Who hears of alerts: Alertmanager's routes and receivers; what is secret is read from a mounted file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from components.kubernetes.resting import QUIET, WORKING, intervals
from stacks.off_hours import OffHours
from stacks.services.settings import Monitoring, Receiver

SECRET: Final = "alert-receivers"  # noqa: S105 - a name
MOUNT: Final = f"/etc/alertmanager/secrets/{SECRET}"
NOBODY: Final = "nobody"


def keys(wish: Monitoring) -> dict[str, str]:
    """Keys of the mounted secret, and their names in the store."""
    found = {name: f"{SECRET}-{name}" for name, each in wish.receivers.items() if each.kind != "email"}
    if any(each.kind == "email" for each in wish.receivers.values()):
        found["smtp"] = f"{SECRET}-smtp"
    return found


def configuration(wish: Monitoring, hours: OffHours | None = None, tenants: tuple[str, ...] = ()) -> dict[str, Any]:
    """Alertmanager's configuration: critical at once and again each hour, warnings in groups.

    `hours`: what resting workloads cause is told while people work only.
    """
    return {
        **({"time_intervals": intervals(hours)} if hours is not None else {}),
        "global": {"resolve_timeout": "5m"},
        "inhibit_rules": [
            {
                "source_matchers": ['severity = "critical"'],
                "target_matchers": ['severity =~ "warning|info"'],
                "equal": ["namespace", "alertname"],
            }
        ],
        "route": {
            "receiver": NOBODY,
            "group_by": ["alertname", "namespace"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": _routes(wish.receivers, tenants if hours is not None else None),
        },
        "receivers": [{"name": NOBODY}, *(_receiver(name, each, wish) for name, each in wish.receivers.items())],
    }


def _routes(receivers: Mapping[str, Receiver], tenants: tuple[str, ...] | None) -> list[dict[str, Any]]:
    times = {
        "critical": {"group_wait": "10s", "repeat_interval": "1h"},
        "warning": {"group_wait": "1m", "repeat_interval": "12h"},
    }
    return [
        {
            "receiver": name,
            "matchers": [f'severity = "{severity}"', *more],
            "continue": True,
            **times[severity],
            **(when if more else {}),
        }
        for name, each in receivers.items()
        for severity in each.severities
        for more, when in _parts(tenants)
    ]


def _parts(tenants: tuple[str, ...] | None) -> list[tuple[list[str], dict[str, Any]]]:
    """Matchers of alerts that resting workloads may cause, when those are told, and all others at any time."""
    if tenants is None:
        return [([], {})]
    working = {"active_time_intervals": [WORKING]}
    names, spaces = "|".join(QUIET), "|".join(tenants)
    return [
        ([f'alertname =~ "{names}"'], working),
        ([f'alertname !~ "{names}"', f'namespace =~ "{spaces}"'], working),
        ([f'alertname !~ "{names}"', f'namespace !~ "{spaces}"'], {}),
    ]


def _receiver(name: str, each: Receiver, wish: Monitoring) -> dict[str, Any]:
    if each.kind == "email":
        mail = {
            "to": each.to,
            "from": wish.sender,
            "smarthost": wish.smarthost,
            "auth_username": wish.sender,
            "auth_password_file": f"{MOUNT}/smtp",
            "require_tls": True,
            "send_resolved": True,
        }
        return {"name": name, "email_configs": [mail]}
    if each.kind == "telegram":
        chat = {"chat_id": int(each.to), "bot_token_file": f"{MOUNT}/{name}", "send_resolved": True}
        return {"name": name, "telegram_configs": [chat]}
    token = {"type": "Bearer", "credentials_file": f"{MOUNT}/{name}"}
    hook = {"url": each.to, "send_resolved": True, "http_config": {"authorization": token}}
    return {"name": name, "webhook_configs": [hook]}
