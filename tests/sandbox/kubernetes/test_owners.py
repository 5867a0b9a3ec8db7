"""Fields change hands."""

from __future__ import annotations

from typing import Any

from sandbox.kubernetes.owners import handed_over, ignoring, owned_by_others, updated_by


def entry(manager: str, operation: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def owned(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"managedFields": list(fields)}}


def test_updates_become_part_of_the_apply() -> None:
    live = owned(
        entry("first", "Update", {"f:data": {"f:a": {}}}),
        entry("ours", "Apply", {"f:data": {"f:b": {}}}),
        entry("first", "Update", {"f:status": {}}, subresource="status"),
        entry("other", "Update", {"f:data": {"f:c": {}}}),
    )
    assert handed_over(live, ("first",), "ours") == [
        entry("ours", "Apply", {"f:data": {"f:a": {}, "f:b": {}}}),
        entry("first", "Update", {"f:status": {}}, subresource="status"),
        entry("other", "Update", {"f:data": {"f:c": {}}}),
    ]
    assert updated_by(live, "first")
    assert handed_over(live, ("nobody",), "ours") is None


def test_the_first_hand_over_makes_an_apply() -> None:
    live = owned(entry("first", "Update", {"f:data": {}}, apiVersion="v1"))
    assert handed_over(live, ("first",), "ours") == [entry("ours", "Apply", {"f:data": {}}, apiVersion="v1")]


def test_ignored_fields_of_others_are_left_out_and_the_rest_is_live() -> None:
    live = {**owned(entry("other", "Update", {"f:spec": {"f:replicas": {}}})), "spec": {"replicas": 5, "paused": True}}
    body = {"spec": {"replicas": 2, "paused": False}}
    assert owned_by_others(live, "ours", ("spec", "replicas"))
    ignored: list[tuple[tuple[str | int, ...], Any]] = [(("spec", "replicas"), 5), (("spec", "paused"), True)]
    assert ignoring(body, live, "ours", ignored) == {"spec": {"paused": True}}
