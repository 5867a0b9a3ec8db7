"""Label selectors, as Kubernetes reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from charter.values import UNKNOWN, Undetermined, hazy


def selects(selector: Any, labels: Any, path: str = "spec.selector") -> bool:
    """Say whether a label selector holds for labels; an empty one selects everything.

    Raises Undetermined, with the path of the selector, when a part of either that counts is not known.
    """
    if selector is UNKNOWN or labels is UNKNOWN or hazy(selector):
        raise Undetermined(path)
    held = labels if isinstance(labels, Mapping) else {}
    if UNKNOWN in held.values():
        raise Undetermined(path)
    told = selector if isinstance(selector, Mapping) else {}
    wanted, expressions = told.get("matchLabels"), told.get("matchExpressions")
    return holds(held, wanted if isinstance(wanted, Mapping) else {}) and all(
        _expressed(one, held) for one in (expressions if isinstance(expressions, list) else [])
    )


def holds(labels: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Say whether labels hold all that are wanted."""
    return all(labels.get(key) == value for key, value in wanted.items())


def _expressed(expression: Any, labels: Mapping[str, Any]) -> bool:
    if not isinstance(expression, Mapping) or not isinstance(expression.get("key"), str):
        return False
    value, written = labels.get(expression["key"]), expression.get("values")
    values = written if isinstance(written, list) else []
    holding = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    operator = expression.get("operator")
    return holding.get(operator, False) if isinstance(operator, str) else False
