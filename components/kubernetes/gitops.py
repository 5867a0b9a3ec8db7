"""Deployment from repositories: Argo CD, one project for the tenants, one set of applications for each cluster."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.crds.argocd import (
    ApplicationSet,
    ApplicationSetSpec,
    ApplicationSetSpecGenerators,
    ApplicationSetSpecGeneratorsList,
    ApplicationSetSpecSyncPolicy,
    ApplicationSetSpecTemplate,
    ApplicationSetSpecTemplateMetadata,
    ApplicationSetSpecTemplateSpec,
    ApplicationSetSpecTemplateSpecDestination,
    ApplicationSetSpecTemplateSpecSource,
    ApplicationSetSpecTemplateSpecSyncPolicy,
    ApplicationSetSpecTemplateSpecSyncPolicyAutomated,
    ApplicationSetSpecTemplateSpecSyncPolicyRetry,
    ApplicationSetSpecTemplateSpecSyncPolicyRetryBackoff,
    AppProject,
    AppProjectSpec,
    AppProjectSpecDestinations,
    AppProjectSpecNamespaceResourceBlacklist,
    AppProjectSpecOrphanedResources,
    AppProjectSpecRoles,
)
from components.kubernetes.crds.external_secrets import (
    ExternalSecret,
    ExternalSecretSpecTargetTemplate,
    ExternalSecretSpecTargetTemplateMetadata,
)
from components.kubernetes.crds.gateway import (
    HTTPRoute,
    HTTPRouteSpec,
    HTTPRouteSpecParentRefs,
    HTTPRouteSpecRules,
    HTTPRouteSpecRulesBackendRefs,
)
from components.kubernetes.secrets import external
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.delivery import Gitops as Wish

PROJECT: Final = "tenants"
HERE: Final = "https://kubernetes.default.svc"
"""Each cluster has an Argo CD of its own, which deploys into this cluster only."""
TRIES: Final = 5
FIRST: Final = "5s"
FACTOR: Final = 2
LONGEST: Final = "3m"
CLIENT: Final = "argocd-oidc"
KEPT: Final = (
    ("", "ResourceQuota"),
    ("", "LimitRange"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
    ("security.istio.io", "AuthorizationPolicy"),
    ("security.istio.io", "PeerAuthentication"),
)
"""What the platform says about a tenant's namespace, and no repository."""


class Gitops(Service):
    """Argo CD that nobody enters with a password, and what the stack file wants deployed on this cluster."""

    SERVICE: ClassVar[str] = "gitops"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.gitops
        assert wish is not None  # noqa: S101 - only made when it is on
        namespace = self.facts.namespace
        self.namespace()
        held = [self.custom(each, secret, namespace=namespace) for each, secret in secrets(ground, wish).items()]
        self.last = [*self.last, *held]
        self.release("argo-cd", values(ground, wish))
        project = self.custom(PROJECT, tenants(ground, wish), namespace=namespace)
        if elements := applications(ground, wish):
            self.custom(ground.cluster.name, every(elements), namespace=namespace, after=[*self.last, project])
        if wish.host is not None:
            self.custom("argocd", route(wish.host), namespace=namespace)
        self.done()


def secrets(ground: Ground, wish: Wish) -> dict[str, ExternalSecret]:
    """The client's secret and passwords of repositories, as Argo CD finds them: by labels."""
    found = {}
    if wish.sso is not None:
        labels = {"app.kubernetes.io/part-of": "argocd"}
        found[CLIENT] = _secret(ground, CLIENT, labels, {}, {"client-secret": f"{CLIENT}-client-secret"})
    for name, address in wish.private_repositories.items():
        found[f"repository-{name}"] = _secret(
            ground,
            f"repository-{name}",
            {"argocd.argoproj.io/secret-type": "repository"},
            {"type": "git", "url": address},
            {"username": f"{name}-username", "password": f"{name}-password"},
        )
    return found


def _secret(
    ground: Ground, name: str, labels: dict[str, str], data: dict[str, str], keys: dict[str, str]
) -> ExternalSecret:
    template = ExternalSecretSpecTargetTemplate(
        metadata=ExternalSecretSpecTargetTemplateMetadata(labels=labels),
        data=data or None,  # beside what comes from the store
        merge_policy="Merge" if data else None,
    )
    return external(ground, name, keys, template)


def applications(ground: Ground, wish: Wish) -> list[dict[str, str]]:
    """What this cluster gets: one element for each application."""
    cluster = ground.cluster.name
    return [
        {
            "name": name,
            "repository": each.repository,
            "path": f"{each.path}/{cluster}" if each.overlays else each.path,
            "revision": each.revision,
            "namespace": each.namespace,
        }
        for name, each in wish.applications.items()
        if not each.clusters or cluster in each.clusters
    ]


def tenants(ground: Ground, wish: Wish) -> AppProject:
    """Known repositories into tenants' namespaces, nothing of the cluster, nothing that the platform decides."""
    deployers = list(wish.sso.deployers) if wish.sso is not None else []
    allowed = [f"p, proj:{PROJECT}:deployers, applications, {verb}, {PROJECT}/*, allow" for verb in ("get", "sync")]
    roles = AppProjectSpecRoles(
        name="deployers", description="Deploy what the repositories hold", groups=deployers, policies=allowed
    )
    return AppProject(
        spec=AppProjectSpec(
            description=f"Tenants of {ground.environment}",
            source_repos=sorted({each.repository for each in wish.applications.values()}),
            destinations=[AppProjectSpecDestinations(server=HERE, namespace=each) for each in ground.tenants],
            cluster_resource_whitelist=[],
            namespace_resource_blacklist=[
                AppProjectSpecNamespaceResourceBlacklist(group=group, kind=kind) for group, kind in KEPT
            ],
            orphaned_resources=AppProjectSpecOrphanedResources(warn=True),
            roles=[roles] if deployers else None,
        )
    )


def every(elements: list[dict[str, str]]) -> ApplicationSet:
    """One application for each element: what is gone from the repository goes, what somebody changes comes back."""
    policy = ApplicationSetSpecTemplateSpecSyncPolicy(
        automated=ApplicationSetSpecTemplateSpecSyncPolicyAutomated(prune=True, self_heal=True, allow_empty=False),
        sync_options=["CreateNamespace=true", "ServerSideApply=true", "PruneLast=true", "FailOnSharedResource=true"],
        retry=ApplicationSetSpecTemplateSpecSyncPolicyRetry(
            limit=TRIES,
            backoff=ApplicationSetSpecTemplateSpecSyncPolicyRetryBackoff(
                duration=FIRST, factor=FACTOR, max_duration=LONGEST
            ),
        ),
    )
    return ApplicationSet(
        spec=ApplicationSetSpec(
            go_template=True,
            go_template_options=["missingkey=error"],
            generators=[ApplicationSetSpecGenerators(list_=ApplicationSetSpecGeneratorsList(elements=elements))],
            sync_policy=ApplicationSetSpecSyncPolicy(applications_sync="sync", preserve_resources_on_deletion=False),
            template=ApplicationSetSpecTemplate(
                metadata=ApplicationSetSpecTemplateMetadata(
                    name="{{.name}}", finalizers=["resources-finalizer.argocd.argoproj.io"]
                ),
                spec=ApplicationSetSpecTemplateSpec(
                    project=PROJECT,
                    source=ApplicationSetSpecTemplateSpecSource(
                        repo_url="{{.repository}}", path="{{.path}}", target_revision="{{.revision}}"
                    ),
                    destination=ApplicationSetSpecTemplateSpecDestination(server=HERE, namespace="{{.namespace}}"),
                    revision_history_limit=10,
                    sync_policy=policy,
                ),
            ),
        )
    )


def route(host: str) -> HTTPRoute:
    """Reach the server through the mesh's gateway, which speaks TLS with people and the mesh with the server."""
    return HTTPRoute(
        spec=HTTPRouteSpec(
            hostnames=[host],
            parent_refs=[HTTPRouteSpecParentRefs(name="gateway", namespace="istio-system")],
            rules=[HTTPRouteSpecRules(backend_refs=[HTTPRouteSpecRulesBackendRefs(name="argocd-server", port=80)])],
        )
    )


def values(ground: Ground, wish: Wish) -> dict[str, Any]:
    """Values of the chart: read-only unless a group may do more, no password, no shell, no second identity provider."""
    room = ground.room("gitops")

    def part(name: str, account: str, *, pdb: bool = True) -> dict[str, Any]:
        pods = room[name]
        return {
            "resources": resources(pods),
            "metrics": {"enabled": True},
            "serviceAccount": {"create": True, "name": f"argocd-{account}"},
            "topologySpreadConstraints": spread({"app.kubernetes.io/name": f"argocd-{account}"}),
            **({"replicas": pods.replicas} if pods.replicas > 1 else {}),
            **({"pdb": {"enabled": True, "minAvailable": 1}} if pdb and pods.replicas > 1 else {}),
        }

    small = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}
    return {
        "fullnameOverride": "argocd",
        "crds": {"install": True, "keep": False},
        "global": {
            "domain": wish.host or "argocd.invalid",
            "logging": {"format": "json"},
            "networkPolicy": {"create": False},
            "priorityClassName": "system-cluster-critical",
        },
        "configs": {
            "cm": {
                "admin.enabled": False,
                "exec.enabled": False,
                "statusbadge.enabled": False,
                "timeout.reconciliation": "180s",
                **({"oidc.config": json.dumps(_oidc(wish), sort_keys=True)} if wish.sso is not None else {}),
            },
            "params": {"server.insecure": ground.services.mesh is not None},
            "rbac": {"policy.default": "role:readonly", "policy.csv": _rights(wish), "scopes": "[groups]"},
            "secret": {"createSecret": True},
        },
        "controller": part("controller", "application-controller"),
        "server": {**part("server", "server"), "service": {"type": "ClusterIP"}},
        "repoServer": part("repo-server", "repo-server"),
        "applicationSet": part("applicationset", "applicationset-controller"),
        "redis": {
            "resources": resources(room["redis"]),
            "serviceAccount": {"create": True, "name": "argocd-redis"},
        },
        "redisSecretInit": {"resources": small},
        "dex": {"enabled": False},
        "notifications": {"enabled": False},
    }


def _oidc(wish: Wish) -> dict[str, Any]:
    assert wish.sso is not None  # noqa: S101 - asked before
    return {
        "name": "SSO",
        "issuer": wish.sso.issuer,
        "clientID": wish.sso.client,
        "clientSecret": f"${CLIENT}:client-secret",
        "requestedScopes": ["openid", "profile", "email", "groups"],
        "enablePKCEAuthentication": True,
    }


def _rights(wish: Wish) -> str:
    groups = wish.sso.administrators if wish.sso is not None else ()
    return "".join(f"g, {group}, role:admin\n" for group in groups)
