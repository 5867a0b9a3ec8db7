"""For every test: nothing is skipped silently where the whole suite is meant to run."""

from __future__ import annotations

import os
import shutil
import tempfile

import pytest

_SKIPPED: list[str] = []
_PLANS = None if os.environ.get("ECOSYSTEM_PLANS") else tempfile.mkdtemp(prefix="ecosystem-plans-")
if _PLANS:
    os.environ["ECOSYSTEM_PLANS"] = _PLANS  # plans of the tests are kept for them, and not among the user's


def pytest_unconfigure() -> None:
    """Leave no plans behind."""
    if _PLANS:
        shutil.rmtree(_PLANS, ignore_errors=True)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what was skipped, with its reason."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _SKIPPED.append(f"{report.nodeid}: {reason}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say how many tests were skipped; in CI, where everything that they need is there, a skip is a failure."""
    if not _SKIPPED:
        return
    told = "\n".join(["", f"{len(_SKIPPED)} skipped:", *_SKIPPED])
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(told)
    if os.environ.get("CI") == "true":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
