"""The page of each stack's services is what the stack file says, and names everything that is switched on."""

from __future__ import annotations

import json

import pytest

from components.kubernetes import inventory
from stacks.load import read_file
from stacks.services import lock
from stacks.services.settings import Services
from stacks.services.table import TABLE
from tests.components.kubernetes.services.built import ALL, SHARED, needs_shared
from tests.components.kubernetes.services.test_alerts import named

DEV = inventory.PROJECT / "Pulumi.dev.yaml"


def whole() -> str:
    stack = read_file(DEV)
    services = Services.model_validate_json(json.dumps(ALL))
    return inventory.page("all", stack.model_copy(update={"services": services}))


def test_the_pages_are_fresh() -> None:
    found = inventory.pages()
    assert set(found) == {path.stem for path in inventory.FOLDER.glob("*.md")}, "make inventory"
    for name, text in found.items():
        assert (inventory.FOLDER / f"{name}.md").read_text(encoding="utf-8") == text, "make inventory"


def test_every_service_stands_there_with_version_licence_and_images() -> None:
    text = whole()
    for name in ALL:
        for chart in TABLE[name].charts:
            held = lock.find(chart)
            rows = [line for line in text.splitlines() if f"| {chart} | {held.version} |" in line]
            assert rows, chart
            for row in rows:
                assert held.licence in row
                assert "unknown" not in row, f"{chart}: say in IMAGES where its images come from"


def test_ports_identities_alerts_and_boards_stand_there() -> None:
    text = whole()
    assert "| `external-dns` | external-dns | 7979 | yes |" in text
    assert "| `probes` | blackbox | 9115 |  |" in text
    for alert in named("alert"):
        assert f"[{alert}](../runbooks/alerts.md#{alert.lower()})" in text
    assert "backups, caches, cost, databases, nodes, overflow, probes, requests, security" in text
    assert "  dns --> mesh" in text
    assert "  gatekeeper -.-> monitoring" in text


def test_without_services_it_says_so() -> None:
    stack = read_file(DEV).model_copy(update={"services": Services()})
    assert "No service is switched on." in inventory.page("none", stack)


@needs_shared
@pytest.mark.parametrize("chart", sorted(set(inventory.IMAGES) - {"istio-base"}))
def test_images_come_from_where_the_chart_says(chart: str) -> None:
    folder = SHARED / "charts" / chart
    if not folder.is_dir():
        pytest.fail(f"{folder} is not there: the chart is called otherwise")
    text = "\n".join(file.read_text(encoding="utf-8") for file in folder.rglob("values.yaml"))
    for source in inventory.IMAGES[chart].split(", "):
        host, _, path = source.partition("/")
        assert path.split("/")[-1] in text or host in text, source
