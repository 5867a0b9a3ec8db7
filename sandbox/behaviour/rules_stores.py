"""Rules over the clouds' databases that a table cannot hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import grpc

from sandbox.behaviour.rules import Moment, check, create
from sandbox.errors import Failure, Refused
from sandbox.paths import first
from sandbox.wire import is_unknown

ZONES: Final = 2


@create
def aws_two_zones(moment: Moment) -> None:
    """A subnet group covers two zones."""
    subnets = moment.found.get("subnetIds[*]", [])
    zones = {str(each.inputs.get("availabilityZone")) for each in subnets}
    if len(zones) < ZONES:
        raise Refused(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: "
            f"{', '.join(sorted(zones))}. Add subnets to cover at least 2 AZs.",
            grpc.StatusCode.INVALID_ARGUMENT,
        )


@check
def aws_database(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A password or a managed one, a last snapshot with a name, a key only where there is encryption."""
    managed = inputs.get("manageMasterUserPassword") is True
    if not managed and not inputs.get("password") and not inputs.get("replicateSourceDb"):
        yield Failure("password", "InvalidParameterValue: The parameter MasterUserPassword must be provided")
    if inputs.get("masterUserSecretKmsKeyId") and not managed:
        yield Failure(
            "masterUserSecretKmsKeyId", '"manage_master_user_password" must be true with a key for its secret'
        )
    if inputs.get("skipFinalSnapshot") is False and not inputs.get("finalSnapshotIdentifier"):
        yield Failure("finalSnapshotIdentifier", "is required when skip_final_snapshot is false")
    if inputs.get("kmsKeyId") and inputs.get("storageEncrypted") is not True:
        yield Failure("kmsKeyId", "InvalidParameterCombination: storage_encrypted must be true with a key")


@check
def gcp_database(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """One way in at least, and nothing that excludes another thing."""
    address = first(inputs, "settings.ipConfiguration") or {}
    private = address.get("privateNetwork") or address.get("pscConfigs")
    if address.get("ipv4Enabled") is False and not private:
        yield Failure(
            "settings.ipConfiguration",
            "Error 400: At least one of Public IP or Private IP or PSC connectivity must be enabled",
        )
    if first(inputs, "settings.availabilityType") == "REGIONAL" and not first(
        inputs, "settings.backupConfiguration.enabled"
    ):
        yield Failure("settings.backupConfiguration", "backup must be enabled for a REGIONAL instance")


@check
def gcp_database_user(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """An account of IAM has no password, and a service account is named without its suffix."""
    kind, name = str(inputs.get("type") or ""), inputs.get("name")
    if kind.startswith("CLOUD_IAM") and inputs.get("password"):
        yield Failure("password", "Error 400: an IAM database user has no password")
    whole = isinstance(name, str) and not is_unknown(name) and name.endswith(".gserviceaccount.com")
    if kind == "CLOUD_IAM_SERVICE_ACCOUNT" and whole:
        yield Failure("name", "Error 400: a PostgreSQL user of a service account omits .gserviceaccount.com")


@check
def azure_database(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Somebody can log in; a key needs an identity that reads it; a standby needs a tier that has one."""
    by_password = first(inputs, "authConfig.passwordAuth") in {None, "Enabled"}
    if by_password and inputs.get("createMode") in {None, "Default", "Create"}:
        for key in ("administratorLogin", "administratorLoginPassword"):
            if not inputs.get(key):
                yield Failure(key, "InvalidParameterValue: is required with password authentication")
    if not by_password and first(inputs, "authConfig.activeDirectoryAuth") != "Enabled":
        yield Failure("authConfig", "InvalidParameterValue: no way to log in is enabled")
    encryption = inputs.get("dataEncryption") or {}
    if encryption.get("type") == "AzureKeyVault" and not encryption.get("primaryUserAssignedIdentityId"):
        yield Failure("dataEncryption", "a key of one's own needs an identity that reads it")
    if first(inputs, "sku.tier") == "Burstable" and first(inputs, "highAvailability.mode") not in {None, "Disabled"}:
        yield Failure("highAvailability", "HADisabledForBurstableSku: high availability is not supported for Burstable")


@check
def aws_cache_user(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A user of IAM is named as its id."""
    kind = first(inputs, "authenticationMode.type")
    known, name = inputs.get("userId"), inputs.get("userName")
    if kind == "iam" and not is_unknown(known) and not is_unknown(name) and known != name:
        yield Failure("userName", "InvalidParameterValue: an IAM-enabled user has the same user id and user name")


@check
def aws_cache(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Users need TLS, and failing over needs somebody to fail over to."""
    if inputs.get("userGroupIds") and inputs.get("transitEncryptionEnabled") is not True:
        yield Failure("userGroupIds", "InvalidParameterCombination: user groups need encryption in transit")
    single = inputs.get("numCacheClusters") == 1
    for flag in ("automaticFailoverEnabled", "multiAzEnabled"):
        if inputs.get(flag) is True and single:
            yield Failure(flag, "InvalidParameterCombination: needs at least one replica")


@create
def gcp_one_policy(moment: Moment) -> None:
    """A network takes one policy for a service in a region."""
    wanted = tuple(moment.inputs.get(key) for key in ("network", "serviceClass", "location"))
    for other in moment.database.find("type=? AND scope=? AND pk<>?", (moment.type, moment.scope, moment.pk)):
        if tuple(other.inputs.get(key) for key in ("network", "serviceClass", "location")) == wanted:
            raise Refused(
                "alreadyExists",
                f"a ServiceConnectionPolicy for {wanted[1]} exists in this network and region",
                grpc.StatusCode.ALREADY_EXISTS,
            )


@create
def gcp_cache(moment: Moment) -> None:
    """Addresses are made by a policy of the network, which has to be there before."""
    networks = {path_free(str(each.get("network"))) for each in moment.inputs.get("desiredAutoCreatedEndpoints") or ()}
    policies = moment.database.find(
        "type=? AND scope=?",
        ("gcp:networkconnectivity/serviceConnectionPolicy:ServiceConnectionPolicy", moment.scope),
    )
    served = {
        path_free(str(each.inputs.get("network")))
        for each in policies
        if each.inputs.get("serviceClass") == "gcp-memorystore" and each.inputs.get("location") == moment.region
    }
    if networks - served:
        raise Refused(
            "failedPrecondition",
            f"No service connection policy for gcp-memorystore in {moment.region} of network {min(networks - served)}",
            grpc.StatusCode.FAILED_PRECONDITION,
        )


def path_free(link: str) -> str:
    """Return the last part of a link: networks are named by id and by address."""
    return link.rstrip("/").rpartition("/")[2]
