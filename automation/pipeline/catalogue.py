"""The pipelines of this project; `python -m automation pipelines write` writes the forges' workflows from here."""

from __future__ import annotations

from typing import Final

from automation.pipeline.model import Command, Pipeline, Stage, Triggers, When

PYTHON: Final = ("python", "-m")
HERE: Final = (*PYTHON, "automation")
STEP: Final = (*PYTHON, "automation.pipeline.steps")

MAIN: Final = When("push", branches=("main",))
TO_STAGING: Final = When("workflow_dispatch", environments=("staging", "prod"))
TO_PROD: Final = When("workflow_dispatch", environments=("prod",))


def _images(name: str, folder: str) -> Command:
    build = ("docker", "buildx", "build", "--cache-from", "type=gha", "--cache-to", "type=gha,mode=max")
    return Command(
        f"image {name}", (*build, "--tag", f"{name}:{{commit}}", folder), "docker", (f"{folder}/Dockerfile",)
    )


ULTIMATE: Final = Pipeline(
    "ultimate-pipeline",
    "From a commit to all clouds in nine stages",
    Triggers(
        push=("main",),
        pull_request=("main",),
        manual=True,
        environments=("dev", "staging", "prod"),
    ),
    (
        Stage(
            "primary-llm-check",
            "1 Is the primary language model there",
            (Command("ask the primary model", (*STEP, "llm-check")),),
            outputs=("fallback_mode",),
            minutes=5,
        ),
        Stage(
            "static-analysis",
            "2 Stack files, security scan, lint",
            (
                Command("stack files", (*STEP, "stacks")),
                Command("formatting", ("ruff", "format", "--check", ".")),
                Command("lint", ("ruff", "check", ".")),
                Command("types", ("mypy",)),
                Command("imports", ("lint-imports",)),
                Command("no secrets in the tree", (*HERE, "verify-secrets-compliance")),
                Command("workflows are written from the definition", (*HERE, "pipelines", "check")),
                Command("workflows, actionlint", ("actionlint", "-no-color"), "actionlint", (".github/workflows",)),
                Command("workflows, zizmor", ("zizmor", "--offline", "--quiet", ".github/workflows"), "zizmor"),
            ),
            needs=("primary-llm-check",),
        ),
        Stage(
            "tests",
            "3 Unit, integration, charter",
            (
                Command("unit", (*PYTHON, "pytest", "-q", "-m", "not engine and not cluster and not slow")),
                Command("integration", (*PYTHON, "pytest", "-q", "-m", "engine and not cluster")),
                Command("charter conformity", (*PYTHON, "pytest", "-q", "tests/policies"), files=("tests/policies",)),
            ),
            needs=("static-analysis",),
            engine=True,
            minutes=90,
        ),
        Stage(
            "images",
            "4 Images: application, fallback agent, optimizer",
            (
                _images("application", "images/application"),
                _images("fallback-agent", "images/fallback-agent"),
                _images("optimizer", "images/optimizer"),
                Command("push to three registries", (*STEP, "push-images"), "docker", ("images",), identity=True),
            ),
            needs=("tests",),
            buildx=True,
        ),
        Stage(
            "sizing",
            "5 Sizing, kept as evidence",
            (Command("solve", (*STEP, "sizing", "--stack", "{stack}", "--out", "{build}/sizing.json")),),
            needs=("images",),
            outputs=("sizing_evidence",),
            artifacts=("build/sizing.json",),
        ),
        Stage(
            "staging",
            "6 Staging, blue/green",
            (
                Command("rehearse", (*HERE, "rehearse", "staging", "--json")),
                Command("the evidence is reached again", (*STEP, "same-sizing", "--stack", "{stack}")),
                Command("apply to green", (*HERE, "up", "staging", "--real"), identity=True),
                Command("green takes over", (*STEP, "blue-green", "--metrics", "{build}/green.json"), identity=True),
                Command(
                    "plan for production",
                    (*HERE, "plan", "prod", "--real", "--key", "{key}", "--out", "{build}/plan.json"),
                    identity=True,
                ),
            ),
            needs=("sizing", "primary-llm-check"),
            when=(MAIN, TO_STAGING),
            environment="staging",
            identity=True,
            engine=True,
            lock="staging",
            artifacts=("build/plan.json",),
            minutes=60,
        ),
        Stage(
            "chaos-load",
            "7 Chaos and load",
            (
                Command("load", ("k6", "run", "load/story.js"), "k6", ("load/story.js",), identity=True),
                Command("chaos", ("kubectl", "apply", "-f", "chaos/"), "kubectl", ("chaos",), identity=True),
                Command("resilience", (*STEP, "resilience", "--metrics", "{build}/metrics.json"), identity=True),
            ),
            needs=("staging",),
            when=(MAIN, TO_STAGING),
            environment="staging",
            identity=True,
            lock="staging",
            minutes=60,
        ),
        Stage(
            "production",
            "8 Production: canary on GCP, AWS and Azure at once",
            (
                Command("the evidence is reached again", (*STEP, "same-sizing", "--stack", "{stack}")),
                Command(
                    "apply what was signed",
                    (*HERE, "up", "prod", "--real", "--plan", "{build}/plan.json"),
                    identity=True,
                ),
                Command("canary", (*STEP, "canary", "--metrics", "{build}/canary.json"), identity=True),
            ),
            needs=("chaos-load", "staging", "primary-llm-check", "sizing"),
            when=(MAIN, TO_PROD),
            environment="production",
            identity=True,
            engine=True,
            lock="prod",
            minutes=120,
        ),
        Stage(
            "verify",
            "9 Verification after the deployment",
            (
                Command("pods, endpoints, services", (*STEP, "verify-clusters", "--stack", "{stack}"), identity=True),
                Command("notify", (*STEP, "notify", "--alert", "deploy_success", "--stack", "{stack}")),
            ),
            needs=("production", "primary-llm-check"),
            when=(MAIN, TO_PROD),
            environment="production",
            identity=True,
            minutes=30,
        ),
    ),
    one_at_a_time="${{ inputs.environment || github.ref }}",
)

CLOUD_ECOSYSTEM: Final = Pipeline(
    "cloud-ecosystem-pipeline",
    "Plan, approve, apply one environment",
    Triggers(push=("develop", "staging"), manual=True, environments=("dev", "staging", "prod")),
    (
        Stage(
            "plan",
            "Preview, judge, sign",
            (
                Command(
                    "plan",
                    (*HERE, "plan", "{environment}", "--real", "--key", "{key}", "--out", "{build}/plan.json"),
                    identity=True,
                ),
            ),
            environment="plan",
            identity=True,
            engine=True,
            artifacts=("build/plan.json",),
        ),
        Stage(
            "apply",
            "Apply what was signed",
            (
                Command("up", (*HERE, "up", "{environment}", "--real", "--plan", "{build}/plan.json"), identity=True),
                Command("drift", (*HERE, "drift", "{environment}", "--real"), identity=True),
            ),
            needs=("plan",),
            environment="apply",
            identity=True,
            engine=True,
            lock="environment",
            minutes=120,
        ),
    ),
    one_at_a_time="${{ inputs.environment || github.ref_name }}",
    stacks={"develop": "dev", "staging": "staging", "main": "prod"},
)

PREVIEW: Final = Pipeline(
    "preview",
    "Preview a pull request, without trust",
    Triggers(
        pull_request=("main", "develop", "staging"),
        pull_request_types=("opened", "synchronize", "reopened", "closed"),
    ),
    (
        Stage(
            "offline",
            "Rehearse base and head in stand-in clouds; no secret, no credential",
            (
                Command("report", (*HERE, "report", "dev", "--offline", "--base", "{base}", "--out", "{build}/report")),
                Command("rehearse", (*HERE, "rehearse", "dev", "--json")),
            ),
            when=(When("pull_request", closed=False),),
            engine=True,
            history=True,
            artifacts=("build/report",),
        ),
        Stage(
            "comment",
            "One comment, updated in place",
            (Command("comment", (*STEP, "comment", "--report", "{build}/report/report.md")),),
            needs=("offline",),
            when=(When("pull_request", own=True, closed=False),),
            comments=True,
            minutes=5,
        ),
        Stage(
            "environment",
            "Create or update the preview environment",
            (Command("update", (*STEP, "preview-environment", "--do", "update"), identity=True),),
            needs=("comment",),
            when=(When("pull_request", own=True, closed=False),),
            environment="preview",
            identity=True,
            engine=True,
            lock="preview",
        ),
        Stage(
            "remove",
            "Remove the preview environment",
            (Command("remove", (*STEP, "preview-environment", "--do", "remove"), identity=True),),
            when=(When("pull_request", own=True, closed=True),),
            environment="preview",
            identity=True,
            engine=True,
            lock="preview",
        ),
    ),
    one_at_a_time="${{ github.event.pull_request.number }}",
)

INTEGRITY: Final = Pipeline(
    "integrity-check",
    "Structure, locks, signatures, secrets",
    Triggers(push=("main", "develop", "staging"), pull_request=("main",), manual=True, schedule="17 4 * * *"),
    (
        Stage(
            "integrity",
            "Nothing was exchanged",
            (
                Command("integrity", (*HERE, "verify-integrity", "--out", "{build}/integrity.json")),
                Command("secrets", (*HERE, "verify-secrets-compliance")),
                Command("configuration", (*HERE, "verify-config-integrity", "config/credentials.yaml")),
                Command("workflows", (*HERE, "pipelines", "check")),
            ),
            artifacts=("build/integrity.json",),
            minutes=15,
        ),
    ),
    one_at_a_time="${{ github.ref }}",
)

DRIFT: Final = Pipeline(
    "drift",
    "Do the clouds still agree with the state",
    Triggers(manual=True, environments=("dev", "staging", "prod"), schedule="41 5 * * *"),
    (
        Stage(
            "drift",
            "Refresh, read-only, exact paths",
            (Command("drift", (*HERE, "drift", "{environment}", "--real", "--json"), identity=True),),
            environment="drift",
            identity=True,
            engine=True,
            lock="drift",
        ),
        Stage(
            "expire",
            "Remove previews whose time is over",
            (Command("sweep", (*STEP, "preview-environment", "--do", "sweep"), identity=True),),
            environment="preview",
            identity=True,
            engine=True,
            asks=True,
            lock="preview",
        ),
    ),
    one_at_a_time="${{ inputs.environment || 'all' }}",
)

IMAGES: Final = Pipeline(
    "image-updates",
    "Newer images, as one pull request",
    Triggers(manual=True, schedule="23 3 * * 1-5"),
    (
        Stage(
            "propose",
            "Ask the registries, commit digests, propose them",
            (
                Command(
                    "propose",
                    (*STEP, "propose-images", "--folder", "gitops"),
                    "git",
                    ("gitops/image-updates.yaml",),
                ),
            ),
            proposes=True,
            lock="image-updates",
            minutes=15,
        ),
    ),
)

PIPELINES: Final[dict[str, Pipeline]] = {
    one.name: one for one in (ULTIMATE, CLOUD_ECOSYSTEM, PREVIEW, INTEGRITY, DRIFT, IMAGES)
}
