"""Which of Google's APIs a stack needs beyond those of a cluster: each once per project, before what uses it."""

from __future__ import annotations

from stacks.model import Stack


def needed(stack: Stack) -> tuple[str, ...]:
    """Names without `.googleapis.com`, by what the stack file switches on."""
    engines = {store.engine for store in stack.data.values()}
    wanted = {
        "memorystore": "redis" in engines,
        "networkconnectivity": "redis" in engines,
        "storage": "objects" in engines or bool(stack.services.backup or stack.services.cloudnative_pg),
        "sqladmin": "postgres" in engines,
        "billingbudgets": "gcp" in stack.budget.clouds,
        "secretmanager": stack.services.external_secrets is not None or stack.links is not None,
        "pubsub": stack.links is not None,
    }
    return tuple(sorted(api for api, on in wanted.items() if on))
