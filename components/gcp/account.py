"""A Google Cloud project: the explicit provider, and what exists once per project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from weakref import WeakKeyDictionary

import pulumi
import pulumi_gcp as gcp

SERVICES: Final = (
    "artifactregistry",
    "binaryauthorization",
    "cloudkms",
    "cloudresourcemanager",
    "compute",
    "container",
    "dns",
    "iam",
    "iamcredentials",
    "logging",
    "monitoring",
    "serviceusage",
)
"""APIs that the components call. `cloudresourcemanager` and `serviceusage` must be on before the first run."""

AUDIT_LOG_TYPES: Final = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")

DEPLOYER_ROLE: Final = "roles/container.developer"
"""Objects inside the clusters, but neither the clusters nor who may do what in them."""

MEMBER_KINDS: Final = ("group:", "principal:", "principalSet:", "serviceAccount:", "user:")


@dataclass(frozen=True, kw_only=True)
class AccountArgs:
    """`apis` are needed beyond `SERVICES`; `images` are patterns that Binary Authorization admits beside own ones."""

    project: str
    project_number: str | None = None
    regions: tuple[str, ...]
    deployers: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    apis: tuple[str, ...] = ()
    protect: bool = False


def members(deployers: Iterable[str]) -> tuple[str, ...]:
    """Pick Google's from the deployers of all clouds: a member as IAM writes it, a service account, a group."""
    found = []
    for deployer in deployers:
        if deployer.startswith(MEMBER_KINDS):
            found.append(deployer)
        elif deployer.endswith(".gserviceaccount.com"):
            found.append(f"serviceAccount:{deployer}")
        elif "@" in deployer:
            found.append(f"group:{deployer}")
    return tuple(found)


_ACCOUNTS: Final[WeakKeyDictionary[pulumi.ProviderResource, Account]] = WeakKeyDictionary()


def account_of(opts: pulumi.ResourceOptions | None) -> Account:
    """Return the account whose provider a component was given; what is built with it finds the project through it."""
    provider = opts.provider if opts else None
    account = _ACCOUNTS.get(provider) if provider else None
    if account is None:
        raise TypeError(
            "components.gcp: give `opts` with `provider=account.provider` of components.gcp.account.Account"
        )
    return account


class Account(pulumi.ComponentResource):
    """One project, made for one stack: its APIs, audit configuration and admission policy exist once per project.

    Nothing is created unless the project can be seen and has the number that the stack file says. The default
    service account, the default network and the provider's default labels are not used.
    """

    provider: gcp.Provider
    identity: pulumi.Output[str]  # the project, once its number was found to be the stack file's
    project: pulumi.Output[str]  # waits for the APIs: what takes it needs no dependency on them
    number: pulumi.Output[str]
    container_agent: pulumi.Output[str]  # GKE's service agent, as an IAM member
    compute_agent: pulumi.Output[str]  # Compute Engine's, which encrypts the nodes' disks
    admission: gcp.binaryauthorization.Policy
    ready: pulumi.Resource

    def __init__(self, name: str, args: AccountArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:gcp:Account", name, {"project": args.project}, opts)
        self._name = name
        self._agents: dict[str, pulumi.Output[str]] = {}
        self.provider = gcp.Provider(
            name,
            project=args.project,
            billing_project=args.project,
            user_project_override=True,  # quota is the project's own, whoever runs this
            add_pulumi_attribution_label=False,  # labels are the stack's, all of them
            opts=pulumi.ResourceOptions(parent=self),
        )
        _ACCOUNTS[self.provider] = self
        self._child = pulumi.ResourceOptions(parent=self, provider=self.provider)
        self.number = self._number(args)
        self.identity = self.number.apply(lambda _: args.project)
        services = {
            service: gcp.projects.Service(
                f"{name}-{service}",
                project=self.identity,
                service=f"{service}.googleapis.com",
                disable_on_destroy=False,  # others may use it, and turning it off deletes what it made
                opts=self._child,
            )
            for service in (*SERVICES, *args.apis)
        }
        audit = self._audit(name, args, list(services.values()))
        self.project = audit.project
        self.container_agent = self.agent("container")
        self.compute_agent = pulumi.Output.format(
            "serviceAccount:service-{0}@compute-system.iam.gserviceaccount.com", self.number
        )
        self.admission = self._admission(name, args)
        self._let_deploy(name, args)
        self.ready = audit
        self.register_outputs({"project": self.project, "number": self.number})

    def agent(self, service: str) -> pulumi.Output[str]:
        """Return the agent of a service as an IAM member: one for the whole project, whoever asks first."""
        if service not in self._agents:
            self._agents[service] = gcp.projects.ServiceIdentity(
                f"{self._name}-{service}-agent",
                project=self.project,
                service=f"{service}.googleapis.com",
                opts=self._child,
            ).member
        return self._agents[service]

    def _number(self, args: AccountArgs) -> pulumi.Output[str]:
        def check(found: gcp.organizations.GetProjectResult) -> str:
            number = found.number
            if found.project_id != args.project:
                raise pulumi.RunError(
                    f"stack.clouds.gcp.project is {args.project}, but these credentials lead to {found.project_id}: "
                    "use credentials of the stack's project, or correct the stack file"
                )
            if args.project_number not in {None, number}:
                raise pulumi.RunError(
                    f"clouds.gcp.project_number: {args.project} has the number {number}, the stack file says "
                    f"{args.project_number}; nothing was created: correct `project` or `project_number`"
                )
            return number

        project: pulumi.Output[gcp.organizations.GetProjectResult] = gcp.organizations.get_project_output(
            project_id=args.project, opts=pulumi.InvokeOutputOptions(parent=self, provider=self.provider)
        )
        return project.apply(check)

    def _audit(self, name: str, args: AccountArgs, services: list[pulumi.Resource]) -> gcp.projects.IAMAuditConfig:
        """Log every access to every API; made last, so that it stands for all of them."""
        return gcp.projects.IAMAuditConfig(
            f"{name}-audit",
            project=self.identity,
            service="allServices",
            audit_log_configs=[
                gcp.projects.IAMAuditConfigAuditLogConfigArgs(log_type=log_type) for log_type in AUDIT_LOG_TYPES
            ],
            opts=pulumi.ResourceOptions(
                parent=self, provider=self.provider, depends_on=services, protect=args.protect or None
            ),
        )

    def _admission(self, name: str, args: AccountArgs) -> gcp.binaryauthorization.Policy:
        """Admit images of the project's own registries and of GKE itself, nothing else."""
        own = [f"{region}-docker.pkg.dev/{args.project}/**" for region in sorted(args.regions)]
        return gcp.binaryauthorization.Policy(
            f"{name}-admission",
            project=self.project,
            global_policy_evaluation_mode="ENABLE",
            default_admission_rule=gcp.binaryauthorization.PolicyDefaultAdmissionRuleArgs(
                evaluation_mode="ALWAYS_DENY",
                enforcement_mode="ENFORCED_BLOCK_AND_AUDIT_LOG",
            ),
            admission_whitelist_patterns=[
                gcp.binaryauthorization.PolicyAdmissionWhitelistPatternArgs(name_pattern=pattern)
                for pattern in (*own, *args.images)
            ],
            opts=self._child,
        )

    def _let_deploy(self, name: str, args: AccountArgs) -> None:
        for member in members(args.deployers):
            gcp.projects.IAMMember(
                f"{name}-deployer-{sha256(member.encode()).hexdigest()[:8]}",
                project=self.project,
                role=DEPLOYER_ROLE,
                member=member,
                opts=self._child,
            )
