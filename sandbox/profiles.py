"""How each cloud differs where no single type is meant: identity, regions, autonames, default ids, words."""

# ruff: noqa: ARG002 - one interface for all clouds, and none of them uses all of it

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import grpc

from sandbox.behaviour.rows import Refusal, Row
from sandbox.behaviour.rules import Moment
from sandbox.connection import Connection
from sandbox.errors import Refused
from sandbox.state import Database, Thing

_ZONE_OF_GCP = re.compile(r"^([a-z]+-[a-z]+\d+)-[a-z]$")


class Profile:
    """A cloud without an identity of its own kind; the others derive from it."""

    package = ""
    in_use = Refusal(code="ResourceInUse", text="{type} {id} is in use by {dependant} ({path})")
    not_found = Refusal(code="NotFound", text="{type} {id} not found")

    def connect(self, connection: Connection, identity: str | None) -> None:
        """Set scope and region from the configuration. Raises Refused for an identity that is not allowed."""
        connection.scope = identity or connection.text("accountId") or "offline"

    def region(self, connection: Connection, inputs: Mapping[str, Any], row: Row | None) -> str:
        """Tell in which region a thing lives."""
        return "global" if row and row.global_ else connection.region

    def facts(self, connection: Connection, token: str, inputs: Mapping[str, Any], region: str) -> dict[str, str]:
        """Give the facts that templates of this cloud may name."""
        return {"account": connection.scope, "region": region}

    def default_id(self, token: str) -> str:
        """Give the id template of a type without a row."""
        return "{hex:32}"

    def name_property(self, token: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
        """Guess the property that carries the physical name of a type without a row."""
        return "name" if "name" in inputs else ""

    def autoname(self, logical: str, random: str, limit: int) -> str:
        """Make a physical name from the logical one and random hexadecimal digits."""
        return f"{logical[: limit - 8]}-{random[:7]}"

    def service(self, token: str) -> str:
        """Name the service that a type belongs to."""
        return token.split(":")[1].partition("/")[0]

    def sees(self, moment: Moment, thing: Thing, value: str) -> bool:
        """Tell whether a thing can be referred to from where another one is made."""
        return thing.scope == moment.scope

    def inside(self, thing: Thing, database: Database) -> list[Thing]:
        """List what a cloud deletes together with a thing."""
        return []


class Aws(Profile):
    """Amazon: account and partition; most types live in a region."""

    package = "aws"
    in_use = Refusal(code="DependencyViolation", text="resource {id} has a dependent object ({dependant})")

    def connect(self, connection: Connection, identity: str | None) -> None:
        """Answer with the account that the fault plan names, else the first that is allowed."""
        allowed = connection.option("allowedAccountIds") or []
        forbidden = connection.option("forbiddenAccountIds") or []
        allowed = [str(item) for item in allowed] if isinstance(allowed, list) else []
        connection.scope = identity or (allowed[0] if allowed else "000000000000")
        connection.region = connection.text("region")
        if not connection.region:
            raise Refused("", "Invalid provider configuration: missing region", grpc.StatusCode.INVALID_ARGUMENT)
        if (allowed and connection.scope not in allowed) or connection.scope in [str(item) for item in forbidden]:
            # wording: terraform-provider-aws internal/conns/config.go "AWS account ID not allowed: %s" (v6)
            raise Refused("", f"AWS account ID not allowed: {connection.scope}", grpc.StatusCode.PERMISSION_DENIED)

    def region(self, connection: Connection, inputs: Mapping[str, Any], row: Row | None) -> str:
        """Use `region` of the resource before that of the provider."""
        return "global" if row and row.global_ else str(inputs.get("region") or connection.region)

    def facts(self, connection: Connection, token: str, inputs: Mapping[str, Any], region: str) -> dict[str, str]:
        """Account, partition, service and region."""
        real = connection.region if region == "global" else region
        partition = "aws-cn" if real.startswith("cn-") else "aws-us-gov" if real.startswith("us-gov-") else "aws"
        return {
            "account": connection.scope, "accountId": connection.scope, "ownerId": connection.scope,
            "region": real, "partition": partition, "service": self.service(token),
        }  # fmt: skip

    def sees(self, moment: Moment, thing: Thing, value: str) -> bool:
        """A region does not know the things of another one."""
        return thing.scope == moment.scope and (
            thing.region == moment.region or "global" in {thing.region, moment.region}
        )

    def default_id(self, token: str) -> str:
        """Look like most identifiers of Amazon."""
        return token.rpartition(":")[2].lower()[:12] + "-{hex:17}"


class Gcp(Profile):
    """Google: a project; self links and paths."""

    package = "gcp"
    in_use = Refusal(
        code="resourceInUseByAnotherResource",
        text="The resource '{link}' is already being used by '{dependant}'",
    )

    def connect(self, connection: Connection, identity: str | None) -> None:
        """Answer with the project that the fault plan names, else the configured one."""
        connection.scope = identity or connection.text("project") or "offline-project"
        connection.region = connection.text("region")

    def region(self, connection: Connection, inputs: Mapping[str, Any], row: Row | None) -> str:
        """Region, location or zone of the resource before that of the provider."""
        if row and row.global_:
            return "global"
        place = str(inputs.get("region") or inputs.get("location") or inputs.get("zone") or connection.region)
        place = place.rpartition("/")[2]
        found = _ZONE_OF_GCP.match(place)
        return found.group(1) if found else place

    def facts(self, connection: Connection, token: str, inputs: Mapping[str, Any], region: str) -> dict[str, str]:
        """Project, its number and the place."""
        project = str(inputs.get("project") or connection.scope).removeprefix("projects/")
        return {
            "project": project, "account": project, "region": region,
            "location": str(inputs.get("location") or region), "zone": str(inputs.get("zone") or f"{region}-b"),
            "number": project_number(project),
            "api": "https://www.googleapis.com/compute/v1",
        }  # fmt: skip

    def default_id(self, token: str) -> str:
        """Look like most identifiers of Google."""
        kind = token.rpartition(":")[2]
        return "projects/{project}/locations/{region}/" + kind[0].lower() + kind[1:] + "s/{name}"


class Azure(Profile):
    """Microsoft: a subscription and resource groups; ARM ids."""

    package = "azure-native"
    in_use = Refusal(code="InUse", text="Resource {id} is in use by {dependant} and cannot be deleted")
    not_found = Refusal(code="ResourceNotFound", text="The Resource '{id}' was not found")

    def connect(self, connection: Connection, identity: str | None) -> None:
        """Answer with the subscription that the fault plan names, else the configured one."""
        configured = connection.text("subscriptionId")
        connection.scope = identity or configured or "00000000-0000-0000-0000-000000000000"
        connection.region = connection.text("location")
        if identity and configured and identity != configured:
            raise Refused(
                "SubscriptionNotFound",
                f"The subscription '{configured}' could not be found.",
                grpc.StatusCode.PERMISSION_DENIED,
            )

    def region(self, connection: Connection, inputs: Mapping[str, Any], row: Row | None) -> str:
        """Location of the resource before that of the provider."""
        if row and row.global_:
            return "global"
        return str(inputs.get("location") or connection.region).replace(" ", "").lower()

    def facts(self, connection: Connection, token: str, inputs: Mapping[str, Any], region: str) -> dict[str, str]:
        """Subscription, tenant and location."""
        return {
            "account": connection.scope, "subscription": connection.scope, "region": region, "location": region,
            "tenant": connection.text("tenantId") or "11111111-1111-1111-1111-111111111111",
            "group": f"/subscriptions/{connection.scope}/resourceGroups/{inputs.get('resourceGroupName', '')}",
        }  # fmt: skip

    def default_id(self, token: str) -> str:
        """Look like an ARM id; the provider namespace comes from the module."""
        module, kind = token.split(":")[1], token.rpartition(":")[2]
        space = NAMESPACES.get(module, module.capitalize())
        plural = kind[:-1] + "ies" if kind.endswith("y") else kind + ("es" if kind.endswith("s") else "s")
        return "{group}/providers/Microsoft." + space + "/" + plural[0].lower() + plural[1:] + "/{name}"

    def sees(self, moment: Moment, thing: Thing, value: str) -> bool:
        """A bare name is looked up in the resource group of who names it."""
        groups = (thing.inputs.get("resourceGroupName"), moment.inputs.get("resourceGroupName"))
        return thing.scope == moment.scope and ("/" in value or None in groups or groups[0] == groups[1])

    def inside(self, thing: Thing, database: Database) -> list[Thing]:
        """A resource group goes with everything in it, a parent with its nested resources."""
        prefix = thing.id.rstrip("/") + "/"
        return database.find(
            "scope=? AND package=? AND substr(id, 1, ?)=?", (thing.scope, self.package, len(prefix), prefix)
        )

    def name_property(self, token: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
        """Prefer `KINDName`, then `resourceName`, then the only other property that ends in Name."""
        kind = token.rpartition(":")[2]
        wanted = (kind[0].lower() + kind[1:] + "Name").lower()
        for key in inputs:
            if key.lower() == wanted:
                return key
        if "resourceName" in inputs:
            return "resourceName"
        others = [key for key in inputs if key.endswith("Name") and key != "resourceGroupName" and key not in outputs]
        return others[0] if len(others) == 1 else ""

    def autoname(self, logical: str, random: str, limit: int) -> str:
        """Azure names take eight digits without a dash."""
        return f"{logical[: limit - 8]}{random[:8]}"

    def service(self, token: str) -> str:
        """Name the resource provider."""
        return "Microsoft." + NAMESPACES.get(token.split(":")[1], token.split(":")[1].capitalize())


class Cloudflare(Profile):
    """Cloudflare: 32 hexadecimal digits for everything."""

    package = "cloudflare"

    def region(self, connection: Connection, inputs: Mapping[str, Any], row: Row | None) -> str:
        """Cloudflare has no regions."""
        return "global"

    def name_property(self, token: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> str:
        """Names are required where they exist: nothing is made up."""
        return ""


NAMESPACES = {
    "authorization": "Authorization", "containerservice": "ContainerService", "compute": "Compute",
    "insights": "Insights", "monitor": "Insights", "keyvault": "KeyVault", "managedidentity": "ManagedIdentity",
    "network": "Network", "privatedns": "Network", "operationalinsights": "OperationalInsights",
    "resources": "Resources", "storage": "Storage", "containerregistry": "ContainerRegistry",
    "maintenance": "Maintenance", "policyinsights": "PolicyInsights", "security": "Security",
    "dbforpostgresql": "DBforPostgreSQL", "redisenterprise": "Cache",
    "recoveryservices": "RecoveryServices", "consumption": "Consumption", "costmanagement": "CostManagement",
}  # fmt: skip


def project_number(project: str) -> str:
    """Give a project's number: twelve digits, always the same for the same project."""
    import hashlib  # noqa: PLC0415 - local to this one line

    return str(100000000000 + int(hashlib.sha256(project.encode()).hexdigest()[:10], 16) % 899999999999)


PROFILES: dict[str, type[Profile]] = {cloud.package: cloud for cloud in (Aws, Gcp, Azure, Cloudflare)}
