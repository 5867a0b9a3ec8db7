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
    ("AppProject", ("spec", "destinations", 0, "namespace"), ["platform"]),
    ("AppProject", ("spec", "roles", 0, "name"), None),
    ("ApplicationSet", ("spec", "template", "spec", "project"), None),
    ("ApplicationSet", ("spec", "syncPolicy", "applicationsSync"), "sometimes"),
    ("ApplicationSet", ("spec", "template", "spec", "syncPolicy", "retry", "backoff", "factor"), "double"),
    ("ApplicationSet", ("spec", "template", "spec", "source", "repoURL"), None),
    ("Rollout", ("spec", "strategy", "canary", "steps", 0, "setCanaryScale", "replicas"), "one"),
    ("Rollout", ("spec", "strategy", "blueGreen", "activeService"), None),
    ("Rollout", ("spec", "strategy", "canary", "steps", 1, "setMirrorRoute", "name"), None),
    ("AnalysisTemplate", ("spec", "metrics", 0, "name"), None),
    ("AnalysisTemplate", ("spec", "metrics", 0, "provider"), None),
    ("PodDisruptionBudget", ("spec", "maxUnavailable"), "a quarter"),
    ("ServiceAccount", ("automountServiceAccountToken",), "never"),
    ("HTTPRoute", ("spec", "hostnames", 0), "https://argocd.example.org"),
]
"""Kind, path to a value of an object that we emit, and what stands there instead; None takes it away."""
