"""The good stacks as states: what the program registers, recorded by the stand-in engine."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

from bench.program import PROJECT, Engine, configuration, shim

KEY: Final = "cloud-ecosystem:stack"
ACCOUNT: Final = "123456789012"
"""The account that the stand-in engine's credentials belong to."""
STACKS: Final = ("dev", "staging", "prod", "dr")


SERVED: Final = "dev with services"
SERVICES: Final[dict[str, Any]] = {
    "cert_manager": {"email": "platform@example.org"},
    "external_secrets": {},
    "mesh": {"calls": [{"caller": "istio-system/gateway", "target": "platform/gateway"}]},
    "monitoring": {
        "receivers": {"oncall": {"kind": "email", "to": "oncall@example.org"}},
        "smarthost": "smtp.example.org:587",
        "sender": "alerts@example.org",
    },
    "logs": {},
    "traces": {},
    "cost": {},
    "chaos": {
        "targets": [{"namespace": "platform", "workload": "gateway", "experiment": "pod-kill"}],
        "abort_url": "http://gateway.platform.svc:8080/healthz",
        "expires": (datetime.now(tz=UTC).date() + timedelta(days=20)).isoformat(),
    },
    "scaling": {"workloads": {"gateway": {"namespace": "platform"}}},
    "gitops": {
        "applications": {
            "gateway": {
                "repository": "https://github.com/example/deployments",
                "path": "apps/gateway",
                "namespace": "platform",
            }
        }
    },
    "gatekeeper": {},
    "falco": {},
    "trivy": {},
}
"""Services of the platform that dev can carry, with an experiment and what a repository delivers."""


def _file(stack: str) -> str:
    return "dev" if stack == SERVED else stack


class Recorder(Engine):
    """An engine whose stages keep everything that a state would hold."""

    def __enter__(self) -> Self:
        """Start. Raises EngineNotFoundError when no engine was built."""
        self.shim = shim()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.law_monitor"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT,
        )  # fmt: skip
        return self


def state(recorder: Recorder, stack: str) -> dict[str, Any]:
    """Return a stack's state, as `pulumi stack export` would write it; SERVED is dev with services on."""
    config = configuration(PROJECT / f"Pulumi.{_file(stack)}.yaml")
    wish = json.loads(config[KEY])
    wish["clouds"]["aws"]["account"] = ACCOUNT
    if stack == SERVED:
        wish["services"] = SERVICES
        for workload in wish["workloads"]:
            if workload["name"] == "gateway":
                workload["replicas"] = 3
    run = recorder.run(PROJECT, {**config, KEY: json.dumps(wish)}, record=True).checked()
    recorded = run.counted["recorded"]
    for each in recorded:
        if each["type"].startswith("pulumi:providers:") and not each["type"].endswith("pulumi-python"):
            each["inputs"]["ecosystemSandbox"] = "offline"  # the mark of the stand-in clouds
    return {"version": 3, "deployment": {"resources": recorded}}


def facts(stack: str) -> dict[str, Any]:
    """Return the facts by which a stack is judged offline."""
    from automation import policy  # noqa: PLC0415 - other rooms load where they are used
    from stacks.load import read_file  # noqa: PLC0415

    read = read_file(PROJECT / f"Pulumi.{_file(stack)}.yaml")
    told = policy.facts(read, PROJECT, Path(), sandbox=True)
    return {**told, "accounts": {**told["accounts"], "aws": [ACCOUNT]}, "counts_file": ""}
