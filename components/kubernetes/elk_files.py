"""What Elasticsearch reads: its settings, who may do what, and how long logs are kept."""

from __future__ import annotations

import json
from typing import Any, Final

from stacks.services.searching import Elk as Wish

NAMESPACE: Final = "elk"
TLS: Final = "elasticsearch-tls"
PASSWORDS: Final = "elk-passwords"
SEARCH: Final = "elasticsearch-nodes"
ADDRESS: Final = "https://elasticsearch.elk.svc:9200"
READY: Final = 9399
"""Opens when a node has joined (elastic.co/docs, `readiness.port`, 2026-11)."""
ROLES: Final = {
    "shipper": {
        "cluster": ["monitor"],
        "indices": [{"names": ["logs-*"], "privileges": ["auto_configure", "create_doc", "view_index_metadata"]}],
    }
}
USERS_ROLES: Final = "superuser:admin\nkibana_system:kibana\nshipper:shipper\n"


def settings(wish: Wish) -> dict[str, str]:
    """Files of Elasticsearch: TLS everywhere, people from a file, no memory maps (which would want the node)."""
    door = {"enabled": True, "key": "certs/tls.key", "certificate": "certs/tls.crt"}
    inside = {**door, "certificate_authorities": ["certs/ca.crt"], "verification_mode": "certificate"}
    names = [f"elasticsearch-{index}" for index in range(wish.nodes)]
    many = {"discovery.seed_hosts": [f"{SEARCH}.elk.svc"], "cluster.initial_master_nodes": names}
    flat: dict[str, Any] = {
        "cluster.name": "logs",
        "node.name": "${HOSTNAME}",
        "node.store.allow_mmap": False,
        "network.host": "0.0.0.0",  # noqa: S104 - the network policy says who reaches it
        "readiness.port": READY,
        "xpack.security.enabled": True,
        "xpack.security.enrollment.enabled": False,
        "xpack.security.http.ssl": door,
        "xpack.security.transport.ssl": inside,
        "xpack.security.authc.realms.file.file1": {"order": 0},
        **(many if wish.nodes > 1 else {"discovery.type": "single-node"}),
    }
    kept = {"policy": {"phases": {
        "hot": {"actions": {"rollover": {"max_age": "1d", "max_primary_shard_size": "10gb"}}},
        "delete": {"min_age": f"{wish.retention_days}d", "actions": {"delete": {}}},
    }}}  # fmt: skip
    return {
        "elasticsearch.yml": json.dumps(flat, indent=1, sort_keys=True) + "\n",  # JSON is YAML
        "roles.yml": json.dumps(ROLES, indent=1, sort_keys=True) + "\n",
        "users_roles": USERS_ROLES,
        "retention.json": json.dumps(kept, sort_keys=True) + "\n",
    }
