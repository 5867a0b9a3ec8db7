"""The command line of each program of the control plane."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from toolchain.cluster.credentials import LOOPBACK, Credentials

SERVICE_CIDR = "10.96.0.0/16"
POD_CIDR = "10.244.0.0/16"
# Without these a Namespace, a claim and a foreground delete never end, a quota counts nothing, a pod has no account.
CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "persistentvolumeclaim-protection-controller",
    "resourcequota-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "clusterrole-aggregation-controller",
)
# With kwok pods live, so what makes pods is wanted too.
WORKLOAD_CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "replicationcontroller-controller",
    "statefulset-controller",
    "daemonset-controller",
    "job-controller",
    "cronjob-controller",
    "disruption-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "horizontal-pod-autoscaler-controller",
    "ttl-after-finished-controller",
    "pod-garbage-collector-controller",
)
QPS = 2000  # the schedulers' default binds about 50 pods a second
STAGES = Path(__file__).with_name("stages.yaml")


@dataclass(frozen=True)
class Places:
    """Where one control plane lives."""

    folder: Path
    programs: Path
    etcd_port: int
    server_port: int
    data: Path | None = None

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def server(self) -> str:
        """The address of the API server."""
        return f"https://{LOOPBACK}:{self.server_port}"

    @property
    def etcd_data(self) -> Path:
        """Where etcd keeps what it knows: in the folder, which goes, unless told otherwise."""
        return self.data or self.folder / "etcd"

    def log(self, name: str) -> Path:
        """Return where a program writes."""
        return self.folder / f"{name}.log"

    def program(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.programs / name)


def etcd(places: Places) -> list[str]:
    """Keep the data unsynced: it survives a killed process, and a stage needs no more."""
    address = f"http://{LOOPBACK}:{places.etcd_port}"
    return [
        places.program("etcd"),
        f"--data-dir={places.etcd_data}",
        f"--listen-client-urls={address}",
        f"--advertise-client-urls={address}",
        f"--listen-peer-urls=http://{LOOPBACK}:0",
        "--socket-reuse-port=true",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server(places: Places, credentials: Credentials) -> list[str]:
    """Serve on loopback; pods need no service account, and new nodes carry no taint that only a kubelet lifts."""
    return [
        places.program("kube-apiserver"),
        f"--etcd-servers=http://{LOOPBACK}:{places.etcd_port}",
        f"--secure-port={places.server_port}",
        "--permit-port-sharing=true",
        f"--bind-address={LOOPBACK}",
        f"--cert-dir={places.folder}",
        f"--tls-cert-file={credentials.certificate}",
        f"--tls-private-key-file={credentials.key}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        "--authorization-mode=RBAC",
        "--anonymous-auth=false",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={credentials.signing_key}",
        f"--service-account-signing-key-file={credentials.signing_key}",
        f"--token-auth-file={credentials.tokens}",
        "--allow-privileged=true",
        "--endpoint-reconciler-type=none",
        "--disable-admission-plugins=ServiceAccount,TaintNodesByCondition",
        "--enable-priority-and-fairness=false",
        "--shutdown-delay-duration=0s",
    ]


def controller_manager(places: Places, credentials: Credentials, controllers: tuple[str, ...]) -> list[str]:
    """Run only the controllers that are named."""
    return [
        places.program("kube-controller-manager"),
        f"--kubeconfig={places.kubeconfig}",
        f"--controllers={','.join(controllers)}",
        f"--root-ca-file={credentials.authority}",
        f"--service-account-private-key-file={credentials.signing_key}",
        "--leader-elect=false",
        "--secure-port=0",
        f"--kube-api-qps={QPS}",
        f"--kube-api-burst={2 * QPS}",
    ]


def scheduler(places: Places) -> list[str]:
    """Bind pods as fast as the API server takes it."""
    configuration = places.folder / "scheduler.json"
    configuration.write_text(
        json.dumps(
            {
                "apiVersion": "kubescheduler.config.k8s.io/v1",
                "kind": "KubeSchedulerConfiguration",
                "clientConnection": {"kubeconfig": str(places.kubeconfig), "qps": QPS, "burst": 2 * QPS},
                "leaderElection": {"leaderElect": False},
            }
        )
    )
    return [places.program("kube-scheduler"), f"--config={configuration}", "--secure-port=0"]


def kwok(places: Places) -> list[str]:
    """Make every node and every bound pod look alive."""
    return [
        places.program("kwok"),
        f"--kubeconfig={places.kubeconfig}",
        f"--config={STAGES}",
        "--manage-all-nodes=true",
        "--node-lease-duration-seconds=40",
        "--node-port=0",
        f"--cidr={POD_CIDR}",
    ]
