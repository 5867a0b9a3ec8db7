"""Look-ups of AWS."""

from __future__ import annotations

from typing import Any

from sandbox.invokes.table import Question, serves


@serves("aws:index/getCallerIdentity:getCallerIdentity")
def caller_identity(question: Question) -> dict[str, Any]:
    """Who asks; the role's name says that nobody real does."""
    account = question.connection.scope
    return {
        "accountId": account,
        "arn": f"arn:aws:sts::{account}:assumed-role/OFFLINE-stand-in/ecosystem",
        "id": account,
        "userId": "AROAOFFLINESTANDIN000:ecosystem",
    }
