"""What the folder is made of: the programs that judge and run what the platform emits for its monitoring."""

from __future__ import annotations

from pathlib import Path

from toolchain.build import Recipe, content_hash, go_programs

MODULE = Path(__file__).resolve().parent
VERSION = "3.14.0"
"""The one that the chart kube-prometheus-stack of charts.lock installs; so is the operator's, in go.mod."""
PROGRAMS = {
    "promtool": "github.com/prometheus/prometheus/cmd/promtool",
    "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
    "amtool": "github.com/prometheus/alertmanager/cmd/amtool",
    "scrape_config": "./scrape_config",
}
TAGS = "remove_all_sd enable_kubernetes_sd"
"""Of the ways to find targets only those that the operator writes: the SDKs of twenty clouds stay out."""
LINK_FLAGS = f"-X github.com/prometheus/common/version.Version={VERSION}"


def recipe() -> Recipe:
    """Return the recipe of the programs for the sources as they are now."""
    sources = [MODULE / "go.mod", MODULE / "go.sum", *(MODULE / "scrape_config").glob("*.go")]
    key = content_hash(sources, LINK_FLAGS, TAGS, *PROGRAMS)
    return Recipe(name="prometheus", key=key, make=go_programs(MODULE, PROGRAMS, LINK_FLAGS, TAGS))
