"""Stages here: outputs travel, what is missing degrades, what fails stops, and a canary's outcome is its series'."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from automation.exits import Ending
from automation.pipeline import gates, settings, steps
from automation.pipeline.canary import judge
from automation.pipeline.model import Command, Pipeline, Stage, Triggers
from automation.pipeline.record import RunRecord, read
from automation.pipeline.runner import Runner
from automation.pipeline.settings import Canary, Gates, Settings
from automation.redact import Redactor


def command(name: str, code: str, **more: Any) -> Command:
    return Command(name, ("python", "-c", code), **more)


def run(folder: Path, *stages: Stage, **more: Any) -> RunRecord:
    pipeline = Pipeline("p", "p", Triggers(manual=True), stages)
    said: list[str] = []
    runner = Runner(folder, folder / "build", said.append, Redactor(["hunter22"]), **more)
    record = RunRecord(1, "p", "c" * 40, "main", "push", 1, "2026-11-21T12:00:00Z")
    return runner.run(pipeline, [stage.key for stage in stages], record)


def test_outputs_travel_and_secrets_do_not(tmp_path: Path) -> None:
    tells = (
        "import os; open(os.environ['PIPELINE_OUTPUT'],'a').write('fallback_mode=forced\\nbad\\n'); print('hunter22')"
    )
    hears = "import os,sys; sys.exit(0 if os.environ['FALLBACK_MODE'] == sys.argv[1] == 'forced' else 1)"
    first = Stage("a", "a", (command("tell", tells),))
    second = Stage("b", "b", (Command("hear", ("python", "-c", hears, "{fallback_mode}")),), needs=("a",))
    record = run(tmp_path, first, second)
    assert record.conclusion == "success", record.record()
    assert record.outputs == {"fallback_mode": "forced"}
    assert "hunter22" not in json.dumps(record.record())


def test_a_failure_skips_what_needs_it_and_nothing_else(tmp_path: Path) -> None:
    record = run(
        tmp_path,
        Stage("a", "a", (command("bad", "print('why'); raise SystemExit(3)"), command("never", "pass"))),
        Stage("b", "b", (command("x", "pass"),), needs=("a",)),
        Stage("c", "c", (command("y", "pass"),), needs=("b",)),
        Stage("d", "d", (command("z", "pass"),)),
    )
    assert [job.conclusion for job in record.jobs] == ["failure", "skipped", "skipped", "success"]
    assert record.conclusion == "failure"
    assert len(record.jobs[0].steps) == 1
    assert "why" in record.jobs[0].steps[0].log
    assert "exit code 3" in record.jobs[0].steps[0].log


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"tool": "no-such-tool"}, "no-such-tool is not installed here"),
        ({"files": ("images/Dockerfile",)}, "images/Dockerfile is not in the project"),
        ({"identity": True}, "no credentials"),
    ],
)
def test_what_cannot_run_is_named_and_not_green(tmp_path: Path, more: dict[str, Any], why: str) -> None:
    record = run(tmp_path, Stage("a", "a", (command("x", "pass", **more), command("y", "pass"))))
    assert record.conclusion == "neutral"
    assert len(record.degraded) == 1
    assert why in record.degraded[0]
    assert read(record.record()).record() == record.record()


def test_a_command_that_hangs_or_is_not_there(tmp_path: Path) -> None:
    record = run(tmp_path, Stage("a", "a", (command("x", "import time; time.sleep(60)"),)), minutes=0.01)
    assert "timed out" in record.jobs[0].steps[0].log
    record = run(tmp_path, Stage("a", "a", (Command("x", ("no-such-program-here",)),)))
    assert record.conclusion == "failure"


@pytest.mark.parametrize("name", ["x; rm -rf /", "$(id)", "../prod", "", "A"])
def test_an_environment_is_a_word(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="lower-case"):
        run(tmp_path, Stage("a", "a", ()), environment=name)


def test_words_are_never_read_by_a_shell(tmp_path: Path) -> None:
    marker = tmp_path / "pwned"
    tells = f"import os; open(os.environ['PIPELINE_OUTPUT'],'a').write('mode=$(touch {marker}); touch {marker}')"
    show = Command("b", ("python", "-c", "import sys; print(sys.argv)", "{mode}"))
    assert run(tmp_path, Stage("a", "a", (command("a", tells), show))).conclusion == "success"
    assert not marker.exists()


GOOD = [
    {"percent": p, "requests": 1000, "errors": 1, "latency_p95_ms": 200.0} for p in (10, 25, 50, 100) for _ in range(5)
]


def worse(rows: list[dict[str, Any]], percent: int, **change: Any) -> list[dict[str, Any]]:
    return [{**row, **change} if row["percent"] == percent else row for row in rows]


def test_a_canary_follows_its_series() -> None:
    verdict = judge({"aws": GOOD, "azure": GOOD, "gcp": GOOD}, Canary())
    assert (verdict.outcome, verdict.reached) == ("promoted", {"gcp": 100, "aws": 100, "azure": 100})
    flipped = judge({"aws": GOOD, "azure": worse(GOOD, 25, errors=50), "gcp": GOOD}, Canary())
    assert flipped.outcome == "rolled-back"
    assert flipped.reached == {"gcp": 25, "aws": 25, "azure": 25}
    assert flipped.vetoes == ["azure at 25 %: error rate 5.00% is above 1.00%"]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (worse(GOOD, 100, latency_p95_ms=501.0), "p95 latency 501 ms"),
        (GOOD[:-1], "silence is no success"),
        ([], "silence is no success"),
        (worse(GOOD, 10, requests=0, errors=0), "no request"),
        (worse(GOOD, 10, errors=9, stable_error_rate=0.001), "the stable version has 0.10%"),
        (worse(GOOD, 10, stable_latency_p95_ms=100.0), "the stable version has 100 ms"),
    ],
)
def test_any_cloud_vetoes(rows: list[dict[str, Any]], why: str) -> None:
    for cloud in ("aws", "gcp", "azure"):
        verdict = judge({"aws": GOOD, "azure": GOOD, "gcp": GOOD, cloud: rows}, Canary())
        assert verdict.outcome == "rolled-back"
        assert why in verdict.vetoes[0]
        assert verdict.vetoes[0].startswith(cloud)


@pytest.mark.parametrize("bad", [{"errors": 2000}, {"requests": -1}, {"latency_p95_ms": float("nan")}])
def test_what_is_no_measurement(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not a measurement"):
        judge({"aws": worse(GOOD, 10, **bad)}, Canary())
    assert judge({}, Canary()).outcome == "rolled-back"


def test_the_canary_step(tmp_path: Path) -> None:
    series = tmp_path / "series.json"
    series.write_text(json.dumps({"aws": GOOD}))
    assert steps.main(["canary", "--metrics", str(series)]) == 0
    series.write_text(json.dumps({"aws": worse(GOOD, 100, errors=500)}))
    assert steps.main(["canary", "--metrics", str(series)]) == 1
    series.write_text("[1]")
    assert steps.main(["canary", "--metrics", str(series)]) == 2


def test_the_primary_model_decides_the_mode() -> None:
    class Model(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/good" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Model)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        here = f"http://127.0.0.1:{server.server_port}"
        assert steps.fallback_mode(f"{here}/good")[0] == "auto"
        assert steps.fallback_mode(f"{here}/bad")[0] == "forced"
    finally:
        server.shutdown()
        server.server_close()
    assert steps.fallback_mode(here)[0] == "forced"
    assert steps.fallback_mode(None) == ("forced", "LLM_PRIMARY_URL is not set")
    assert steps.fallback_mode("file:///etc/passwd")[0] == "forced"


MADE: dict[str, Any] = {
    "policy": {"undetermined": 3},
    "preview_steps": {"create": 4, "same": 90},
    "cost_monthly_usd": {"before": 100.0, "after": 160.0},
    "availability": {"after": 0.9989, "target": 0.999, "shared": ["one zone"]},
}
NOW = datetime(2026, 12, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"undetermined_max": 2}, "undetermined"),
        ({"changes_max": 3}, "change-size"),
        ({"cost_rise_max_usd": 59.99}, "cost-rise"),
        ({"availability": "refuse"}, "availability"),
        (
            {"freezes": [{"begin": "2026-12-20T00:00:00Z", "end": "2027-01-02T00:00:00Z", "reason": "holidays"}]},
            "freeze",
        ),
    ],
)
def test_gates(given: dict[str, Any], code: str) -> None:
    rules = Gates.model_validate(given)
    assert [one.code for one in gates.judge(rules, MADE, NOW, real=True)] == [code]
    assert gates.judge(Gates(), MADE, NOW, real=True) == []


def test_gates_at_their_edge() -> None:
    edge = Gates(undetermined_max=3, changes_max=4, cost_rise_max_usd=60)
    assert gates.judge(edge, MADE, NOW, real=True) == []
    assert gates.judge(Gates(undetermined_max=0), MADE, NOW, real=False) == []


def test_the_file_of_the_project() -> None:
    assert settings.load(Path(__file__).resolve().parents[3]).plans.required == "production"


@pytest.mark.parametrize(
    "text", ["plan: {}", "gates: {changes_max: 0}", "canary: {steps_percent: [10, 50]}", "[", "a: b"]
)
def test_a_wrong_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/delivery.yaml").write_text(text)
    with pytest.raises(Ending) as caught:
        settings.load(tmp_path)
    assert caught.value.code == 2
    assert settings.load(tmp_path / "nothing") == Settings()
    assert sys.executable
