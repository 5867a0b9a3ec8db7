"""Look-ups of Google Cloud."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.invokes.table import Question, serves


def project_number(project: str) -> str:
    """Number of a project on the stage: twelve digits made from its id."""
    return str(10**11 + int(hashlib.sha256(project.encode()).hexdigest(), 16) % (9 * 10**11))


@serves("gcp:organizations/getProject:getProject")
def project(question: Question) -> dict[str, Any]:
    """The project that is asked about, or the provider's own."""
    name = str(question.args.get("projectId") or question.connection.scope)
    return {
        "id": f"projects/{name}",
        "projectId": name,
        "name": name,
        "number": project_number(name),
        "autoCreateNetwork": False,
        "billingAccount": "",
        "deletionPolicy": "PREVENT",
        "effectiveLabels": {},
        "folderId": "",
        "labels": {},
        "orgId": "",
        "pulumiLabels": {},
        "tags": {},
    }
