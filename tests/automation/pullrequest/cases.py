"""Reports as previews make them: a small one, a hostile one, and as many changes as asked for."""

from __future__ import annotations

from typing import Any

HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(2)>"
MARKDOWN = "| a | [x](javascript:alert(1)) ![i](http://evil.example/i.png) @everyone `code` **b** <!-- x --> \n## head"


def urn(name: str, type_: str = "aws:ec2/vpc:Vpc") -> str:
    return f"urn:pulumi:prod::cloud-ecosystem::ecosystem:aws:Network${type_}::{name}"


def pool(slot: int, instance_type: str, desired: int, **more: Any) -> dict[str, Any]:
    row = {"pool": "general", "slot": slot, "cluster": "aws-eu-west-1", "instance_type": instance_type, "min": 2}
    return {
        **row,
        "desired": desired,
        "max": 9,
        "spot": False,
        "nodes_cost_usd": 100.5 * desired,
        "evidence": "a" * 52,
        **more,
    }


def report(**more: Any) -> dict[str, Any]:
    return {
        "header": "OFFLINE — stand-in clouds, nothing real was touched",
        "notes": ["compared with main"],
        "stack": "prod",
        "mode": "offline",
        "resources": 90,
        "preview_steps": {"create": 2, "replace": 1, "same": 80, "update": 1},
        "changes": [{"cloud": "aws", "component": "ecosystem:aws:Network", "op": "create", "count": 2}],
        "changed": [
            {"op": "update", "urn": urn("net"), "type": "aws:ec2/vpc:Vpc", "paths": ["tags.owner"], "stateful": False},
            {
                "op": "replace", "urn": urn("group"), "type": "aws:ec2/securityGroup:SecurityGroup", "paths": ["name"],
                "stateful": False,
            },
        ],
        "policy": {
            "judged": True, "mandatory": 0, "advisory": 1, "remediated": 0, "undetermined": 1, "evaluated": 900,
            "findings": [
                {"rule": "NET-12", "level": "advisory", "urn": urn("net"), "path": "tags", "message": "has no purpose"}
            ],
            "undetermined_list": [{"rule": "IMG-01", "urn": urn("pod"), "path": "image"}],
        },
        "cost_monthly_usd": {
            "before": 1000.0, "after": 1201.0, "by_cloud": {"aws": 1201.0}, "unpriced": [], "by_use": [],
            "approximate": [], "oldest_price": "2025-01-01",
        },
        "budget_usd": 2500.0,
        "sizing": [pool(0, "m7g.large", 4), pool(1, "c7g.large", 2)],
        "sizing_before": [pool(0, "m6g.large", 2), pool(1, "c7g.large", 2)],
        "refused": 0,
        "refusals": [],
        "versions": {"engine": "3.259.0", "sdk": "3.259.0", "providers": {"aws": "7.51.1"}},
        **more,
    }  # fmt: skip


def computed(text: str = "db") -> dict[str, Any]:
    """What follows from the graph of a change."""
    values = [
        {"path": "tags.owner", "before": "web", "after": text},
        {"path": "password", "before": "[secret]", "after": "[secret]"},
    ]
    way = {"from": "internet", "to": text, "how": "tcp 443-443"}
    cluster = {"cluster": text, "zones": 3, "pools": 2, "before": 0.9985, "after": 0.99939}
    return {
        "changed": [
            {"op": "update", "urn": urn(text), "type": "aws:rds/instance:Instance", "stateful": False,
             "paths": ["tags.owner", "password", "x"], "values": values},
        ],
        "reachable": {
            "new": [way], "gone": [{**way, "how": "tcp 22-22"}], "stores": [f"internet -> (tcp 443-443) {text}"],
            "unread": ["group: ingress"], "edges": 12,
        },
        "availability": {
            "before": 0.9985, "after": 0.99939, "any": 0.9999999, "target": 0.9995, "clusters": [cluster],
            "shared": [f"{text}: one NAT gateway carries the way out of 3 zones"],
            "assumptions": ["assumed: a zone 99.90%"],
        },
        "blast_radius": [{"urn": urn(text), "name": text, "count": 2, "names": f"{text}, b"}],
    }  # fmt: skip


def hostile() -> dict[str, Any]:
    rows = [
        {"op": op, "urn": urn(text), "type": text, "paths": [text], "stateful": True}
        for op in ("delete", "update")
        for text in (HOSTILE, MARKDOWN)
    ]
    refusal = {"code": "stateful", "sentence": HOSTILE, "details": [MARKDOWN]}
    more = computed(HOSTILE) | {"changed": [*rows, *computed(MARKDOWN)["changed"]]}
    return report(**more, stack=MARKDOWN, refusals=[refusal], refused=1, notes=[HOSTILE])


def large(count: int) -> dict[str, Any]:
    rows = [
        {"op": "update" if n % 3 else "delete", "urn": urn(f"thing-{n}"), "type": "aws:ec2/subnet:Subnet",
         "paths": [f"tags.key{n}", "cidrBlock"], "stateful": n % 9 == 0}
        for n in range(count)
    ]  # fmt: skip
    return report(changed=rows, preview_steps={"update": count})
