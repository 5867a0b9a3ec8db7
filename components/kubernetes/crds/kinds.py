"""Which kinds are generated, and which of their fields: a path keeps all that lies below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Kind:
    """One kind of a definition file; no `keep` means every field. `name` where two groups use one kind."""

    module: str
    file: str
    version: str
    keep: tuple[str, ...] = ()
    name: str = ""


def _of(*paths: str) -> tuple[str, ...]:
    return tuple(f"spec.{path}" for path in paths)


KINDS: Final[tuple[Kind, ...]] = (
    Kind(
        "cert_manager",
        "cert-manager/certificates.yaml",
        "v1",
        _of(
            "secretName",
            "commonName",
            "dnsNames",
            "duration",
            "renewBefore",
            "isCA",
            "issuerRef",
            "privateKey",
            "usages",
        ),
    ),
    Kind(
        "cert_manager",
        "cert-manager/clusterissuers.yaml",
        "v1",
        _of(
            "selfSigned",
            "ca.secretName",
            "acme.email",
            "acme.server",
            "acme.privateKeySecretRef",
            "acme.solvers.http01.gatewayHTTPRoute.parentRefs",
            "acme.solvers.http01.gatewayHTTPRoute.labels",
        ),
    ),
    Kind(
        "external_secrets",
        "external-secrets/clustersecretstores.yaml",
        "v1",
        _of(
            "provider.aws.service",
            "provider.aws.region",
            "provider.gcpsm.projectID",
            "provider.azurekv.vaultUrl",
            "provider.azurekv.authType",
            "provider.azurekv.tenantId",
            "provider.azurekv.serviceAccountRef",
            "conditions",
            "refreshInterval",
        ),
    ),
    Kind(
        "external_secrets",
        "external-secrets/externalsecrets.yaml",
        "v1",
        _of(
            "refreshInterval",
            "secretStoreRef",
            "target.name",
            "target.creationPolicy",
            "target.deletionPolicy",
            "data.secretKey",
            "data.remoteRef.key",
            "data.remoteRef.property",
        ),
    ),
    Kind("istio", "istio/peerauthentications.yaml", "v1"),
    Kind("istio", "istio/authorizationpolicies.yaml", "v1"),
    Kind(
        "istio",
        "istio/destinationrules.yaml",
        "v1",
        _of(
            "host",
            "trafficPolicy.connectionPool",
            "trafficPolicy.outlierDetection",
            "trafficPolicy.tls.mode",
            "exportTo",
        ),
    ),
    Kind(
        "istio",
        "istio/telemetries.yaml",
        "v1",
        _of("accessLogging.providers", "tracing.providers", "tracing.randomSamplingPercentage"),
    ),
    Kind(
        "gateway",
        "gateway-api/gateways.yaml",
        "v1",
        _of(
            "gatewayClassName",
            "infrastructure.labels",
            "infrastructure.annotations",
            "infrastructure.parametersRef",
            "listeners.name",
            "listeners.port",
            "listeners.protocol",
            "listeners.hostname",
            "listeners.tls.mode",
            "listeners.tls.certificateRefs",
            "listeners.tls.options",
            "listeners.allowedRoutes.namespaces",
        ),
    ),
    Kind(
        "gateway",
        "gateway-api/httproutes.yaml",
        "v1",
        _of(
            "hostnames",
            "parentRefs.name",
            "parentRefs.namespace",
            "parentRefs.kind",
            "parentRefs.group",
            "parentRefs.sectionName",
            "rules.backendRefs.name",
            "rules.backendRefs.port",
            "rules.backendRefs.weight",
            "rules.matches.path",
            "rules.matches.method",
            "rules.filters.type",
            "rules.filters.requestRedirect",
            "rules.timeouts",
        ),
    ),
    Kind(
        "istio",
        "istio/virtualservices.yaml",
        "v1",
        _of(
            "hosts",
            "gateways",
            "exportTo",
            "http.match.uri",
            "http.route.destination",
            "http.route.weight",
            "http.retries",
            "http.timeout",
        ),
    ),
    Kind(
        "prometheus",
        "prometheus-operator/servicemonitors.yaml",
        "v1",
        _of(
            "endpoints.port",
            "endpoints.path",
            "endpoints.interval",
            "endpoints.scrapeTimeout",
            "endpoints.scheme",
            "namespaceSelector",
            "selector",
            "jobLabel",
        ),
    ),
    Kind(
        "prometheus",
        "prometheus-operator/podmonitors.yaml",
        "v1",
        _of(
            "podMetricsEndpoints.port",
            "podMetricsEndpoints.portNumber",
            "podMetricsEndpoints.path",
            "podMetricsEndpoints.interval",
            "podMetricsEndpoints.scrapeTimeout",
            "namespaceSelector",
            "selector",
            "jobLabel",
        ),
    ),
    Kind(
        "prometheus",
        "prometheus-operator/prometheusrules.yaml",
        "v1",
        _of(
            "groups.name",
            "groups.interval",
            "groups.rules.alert",
            "groups.rules.expr",
            "groups.rules.for",
            "groups.rules.labels",
            "groups.rules.annotations",
            "groups.rules.record",
        ),
    ),
    Kind(
        "prometheus",
        "prometheus-operator/probes.yaml",
        "v1",
        _of(
            "jobName",
            "interval",
            "scrapeTimeout",
            "module",
            "prober.url",
            "targets.staticConfig.static",
            "targets.staticConfig.labels",
        ),
    ),
    Kind(
        "chaos",
        "chaos-mesh/schedules.yaml",
        "v1alpha1",
        _of(
            "schedule",
            "type",
            "concurrencyPolicy",
            "historyLimit",
            "startingDeadlineSeconds",
            "workflow.entry",
            *(
                f"workflow.templates.{part}"
                for part in (
                    "name",
                    "templateType",
                    "children",
                    "deadline",
                    "abortWithStatusCheck",
                    "statusCheck.mode",
                    "statusCheck.type",
                    "statusCheck.http.url",
                    "statusCheck.http.method",
                    "statusCheck.http.criteria",
                    "statusCheck.intervalSeconds",
                    "statusCheck.timeoutSeconds",
                    "statusCheck.failureThreshold",
                    "podChaos.action",
                    "podChaos.mode",
                    "podChaos.selector.namespaces",
                    "podChaos.selector.labelSelectors",
                    "networkChaos.action",
                    "networkChaos.mode",
                    "networkChaos.direction",
                    "networkChaos.delay.latency",
                    "networkChaos.delay.jitter",
                    "networkChaos.selector.namespaces",
                    "networkChaos.selector.labelSelectors",
                    "stressChaos.mode",
                    "stressChaos.selector.namespaces",
                    "stressChaos.selector.labelSelectors",
                    "stressChaos.stressors.cpu.workers",
                    "stressChaos.stressors.cpu.load",
                )
            ),
        ),
    ),
)
