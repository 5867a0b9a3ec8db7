"""The forge's ruleset for the branches that deploy: reviews, signed commits, required jobs; a file to import.

https://docs.github.com/en/rest/repos/rules and .../managing-rulesets-for-a-repository (import a ruleset), 2026-11-21.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from automation.pipeline.model import Pipeline, Trigger

FILE: Final = Path(".github/rulesets/deploying-branches.json")
BRANCHES: Final = ("main", "staging", "develop")


def required(pipelines: Mapping[str, Pipeline]) -> list[str]:
    """Titles of the jobs that every pull request to main runs, a fork's too: only those can be required."""
    trigger = Trigger("pull_request", "main", fork=True, action="opened")
    return sorted({pipeline.stage(key).title for pipeline in pipelines.values() for key in pipeline.chosen(trigger)})


def document(pipelines: Mapping[str, Pipeline]) -> dict[str, Any]:
    """The ruleset; nobody is on its bypass list, break-glass goes through the ledger instead."""
    review = {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": False,
        "require_last_push_approval": True,
        "required_review_thread_resolution": True,
    }
    jobs = [{"context": title} for title in required(pipelines)]
    checks = {"strict_required_status_checks_policy": True, "required_status_checks": jobs}
    return {
        "name": "branches that deploy",
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": [f"refs/heads/{name}" for name in BRANCHES], "exclude": []}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {"type": "required_signatures"},
            {"type": "pull_request", "parameters": review},
            {"type": "required_status_checks", "parameters": checks},
        ],
    }


def render(pipelines: Mapping[str, Pipeline]) -> str:
    """The file's text."""
    return json.dumps(document(pipelines), indent=1) + "\n"
