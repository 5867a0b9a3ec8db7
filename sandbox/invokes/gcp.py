"""Look-ups of Google."""

from __future__ import annotations

from typing import Any

from sandbox.behaviour.versions import GKE, gcp_zones
from sandbox.invokes.table import Question, serves
from sandbox.profiles import project_number


@serves("gcp:organizations/getProject:getProject")
def project(asked: Question) -> dict[str, Any]:
    """A project and its number."""
    name = str(asked.args.get("projectId") or asked.connection.scope)
    if asked.connection.config.get("project") == name:
        name = asked.connection.scope  # the fault plan may answer with another one
    return {
        "id": f"projects/{name}", "projectId": name, "name": name, "number": _number(asked, name), "autoCreateNetwork": False,  # noqa: E501 - one message, one line
        "billingAccount": "", "folderId": "", "orgId": "", "labels": {}, "effectiveLabels": {}, "pulumiLabels": {},
        "deletionPolicy": "PREVENT", "tags": {},
    }  # fmt: skip


def _number(asked: Question, name: str) -> str:
    """A number that the stage was told, else one made of the name."""
    return str(asked.numbers.get(name) or project_number(name))


@serves("gcp:organizations/getClientConfig:getClientConfig")
def client(asked: Question) -> dict[str, Any]:
    """Who asks; the token opens nothing."""
    return {
        "id": "offline", "project": asked.connection.scope, "region": asked.connection.region,
        "zone": asked.connection.text("zone"), "accessToken": "offline", "defaultLabels": {},
    }  # fmt: skip


@serves("gcp:container/getEngineVersions:getEngineVersions")
def versions(asked: Question) -> dict[str, Any]:
    """Versions that GKE offers, newest first."""
    full = [f"{version}.4-gke.1000000" for version in reversed(GKE)]
    prefix = str(asked.args.get("versionPrefix") or "")
    chosen = [version for version in full if version.startswith(prefix)] or [""]
    channels = {"RAPID": full[0], "REGULAR": full[1], "STABLE": full[1]}
    return {
        **asked.args, "id": asked.now, "validMasterVersions": chosen, "validNodeVersions": chosen,
        "latestMasterVersion": chosen[0], "latestNodeVersion": chosen[0], "defaultClusterVersion": full[1],
        "releaseChannelDefaultVersion": channels, "releaseChannelLatestVersion": channels,
        "releaseChannelUpgradeTargetVersion": channels,
    }  # fmt: skip


@serves("gcp:compute/getZones:getZones")
def zones(asked: Question) -> dict[str, Any]:
    """Zones of a region."""
    region = asked.region
    return {
        "id": f"projects/{asked.connection.scope}/regions/{region}", "names": list(gcp_zones(region)), "region": region,
        "project": asked.connection.scope, **{key: item for key, item in asked.args.items() if key == "status"},
    }  # fmt: skip


@serves("gcp:storage/getProjectServiceAccount:getProjectServiceAccount")
def storage_agent(asked: Question) -> dict[str, Any]:
    """The agent of Cloud Storage in a project, made of its number."""
    project = str(asked.args.get("project") or asked.connection.scope)
    number = _number(asked, asked.connection.scope)
    email = f"service-{number}@gs-project-accounts.iam.gserviceaccount.com"
    return {
        "id": email, "project": project, "emailAddress": email, "member": f"serviceAccount:{email}",
        **{key: item for key, item in asked.args.items() if key == "userProject"},
    }  # fmt: skip
