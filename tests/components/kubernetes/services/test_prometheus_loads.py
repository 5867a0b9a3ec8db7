"""What the operator makes of our resources is loaded by a real Prometheus; Alertmanager's routes by its own tool."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from components.kubernetes import receivers
from stacks.services.settings import Services
from tests.components.kubernetes.services.built import ALL, build, objects, releases
from tests.components.kubernetes.services.test_alerts import emitted, named, program
from tests.components.mock_cloud import Cloud

OK = 200
RULES = "/etc/prometheus/rules/platform/*.yaml"
"""Where the operator mounts rules."""


def configuration(cloud: Cloud) -> dict[str, Any]:
    """Let the operator's own generator write the configuration of the Prometheus that the chart asks for."""
    build(cloud, ALL)
    wanted = releases(cloud)["monitoring"]["values"]["prometheus"]["prometheusSpec"]
    kept = ("replicas", "scrapeInterval", "scrapeTimeout", "evaluationInterval", "retention", "externalLabels")
    alertmanager = {"namespace": "monitoring", "name": "platform-alertmanager", "port": "http-web", "apiVersion": "v2"}
    asked = {
        "prometheus": {
            "metadata": {"name": "platform", "namespace": "monitoring"},
            "spec": {
                **{key: int(wanted[key]) if key == "replicas" else wanted[key] for key in kept},
                "version": "v3.14.0",
                "serviceMonitorSelector": {},
                "podMonitorSelector": {},
                "probeSelector": {},
                "ruleSelector": {},
                "alerting": {"alertmanagers": [alertmanager]},
            },
        },
        "serviceMonitors": objects(cloud, "ServiceMonitor"),
        "podMonitors": objects(cloud, "PodMonitor"),
        "probes": objects(cloud, "Probe"),
    }
    text = json.dumps(asked, default=int).replace(".0,", ",").replace(".0}", "}").replace(".0]", "]")
    told = subprocess.run([program("scrape_config")], input=text, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    found: dict[str, Any] = yaml.safe_load(told.stdout)
    return found


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a Prometheus on a configuration; yield its address once it is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (folder / "log").open("w") as log:
        started = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={folder / 'prometheus.yaml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
        try:
            for _ in range(300):
                with contextlib.suppress(urllib3.exceptions.HTTPError):
                    if urllib3.request("GET", f"http://{address}/-/ready", retries=False).status == OK:
                        break
                assert started.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield f"http://{address}"
        finally:
            started.terminate()
            started.wait(30)


@pytest.mark.slow
def test_a_real_prometheus_loads_configuration_and_rules(cloud: Cloud, tmp_path: Path) -> None:
    whole = configuration(cloud)
    assert whole["global"]["scrape_interval"] == "30s"
    assert whole["rule_files"] == [RULES]
    jobs = {each["job_name"] for each in whole["scrape_configs"]}
    assert len(jobs) == len(objects(cloud, "PodMonitor")) + len(objects(cloud, "ServiceMonitor")) + 1
    (probe,) = (each for each in whole["scrape_configs"] if each["job_name"].startswith("probe/"))
    assert probe["static_configs"][0]["targets"] == ALL["probes"]["urls"]

    (tmp_path / "prometheus.yaml").write_text(
        yaml.safe_dump({**whole, "rule_files": [str(tmp_path / "rules.yaml")]}), encoding="utf-8"
    )
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(emitted()), encoding="utf-8")
    checked = [program("promtool"), "check", "config", "--lint=none", "prometheus.yaml"]
    judged = subprocess.run(checked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr
    with running(tmp_path) as address:
        groups = urllib3.request("GET", f"{address}/api/v1/rules").json()["data"]["groups"]
        held = {rule["name"] for each in groups for rule in each["rules"]}
        assert held == named("alert") | named("record")
        held = yaml.safe_load(urllib3.request("GET", f"{address}/api/v1/status/config").json()["data"]["yaml"])
        assert {each["job_name"] for each in held["scrape_configs"]} == jobs


def test_a_configuration_that_prometheus_refuses_is_found(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yaml").write_text("global: {scrape_interval: often}\n")
    checked = [program("promtool"), "check", "config", "prometheus.yaml"]
    assert subprocess.run(checked, cwd=tmp_path, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(
    ("severity", "heard"),
    [("critical", ["chat", "hook", "oncall"]), ("warning", ["chat", "hook"]), ("info", ["nobody"])],
)
def test_alertmanager_sends_each_alert_to_those_who_want_it(tmp_path: Path, severity: str, heard: list[str]) -> None:
    amtool = program("amtool")
    wish = Services.model_validate_json(json.dumps(ALL)).monitoring
    assert wish is not None
    (tmp_path / "alertmanager.yaml").write_text(yaml.safe_dump(receivers.configuration(wish)), encoding="utf-8")
    judged = subprocess.run(
        [amtool, "check-config", "alertmanager.yaml"], cwd=tmp_path, capture_output=True, check=False
    )
    assert judged.returncode == 0, judged.stdout + judged.stderr
    asked = [amtool, "config", "routes", "test", "--config.file=alertmanager.yaml", f"severity={severity}"]
    told = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert sorted(told.stdout.strip().split(",")) == heard
