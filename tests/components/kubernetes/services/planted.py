"""Mistakes in custom resources of scaling, delivery, runners and federation: each is refused by the API server."""

from __future__ import annotations

from typing import Any

MISTAKES: list[tuple[str, tuple[str | int, ...], Any]] = [
    ("ScaledObject", ("spec", "scaleTargetRef", "name"), None),
    ("ScaledObject", ("spec", "maxReplicaCount"), "hundred"),
    ("ScaledObject", ("spec", "triggers", 0, "metadata", "value"), {"percent": 70}),
    ("ScaledObject", ("spec", "fallback", "behavior"), "hope"),
    ("ScaledObject", ("spec", "triggers", 0, "type"), None),
    ("HorizontalPodAutoscaler", ("spec", "maxReplicas"), 0),
    ("HorizontalPodAutoscaler", ("spec", "minReplicas"), 101),
    ("HorizontalPodAutoscaler", ("spec", "metrics", 0, "type"), "Guess"),
    ("HorizontalPodAutoscaler", ("spec", "behavior", "scaleDown", "stabilizationWindowSeconds"), 3601),
    ("HorizontalPodAutoscaler", ("spec", "behavior", "scaleUp", "policies", 0, "periodSeconds"), 1801),
    ("VerticalPodAutoscaler", ("spec", "updatePolicy", "updateMode"), "Sometimes"),
    ("VerticalPodAutoscaler", ("spec", "targetRef", "kind"), None),
    ("VerticalPodAutoscaler", ("spec", "resourcePolicy", "containerPolicies", 0, "controlledValues"), "Requests"),
    ("VerticalPodAutoscaler", ("spec", "updatePolicy", "minReplicas"), "two"),
]
"""Kind, path to a value of an object that we emit, and what stands there instead; None takes it away."""
