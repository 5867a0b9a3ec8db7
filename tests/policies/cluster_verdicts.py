"""Who decides at a cluster's door: the API server itself, its own Pod Security admission, and Gatekeeper's gator."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml
from charter.admission.render import WANTED, policies, templates
from charter.facts import Facts

from tests.policies.cluster_corpus import KINDS, Sample
from toolchain.cluster import ControlPlane
from toolchain.gator import recipe

WARNED = re.compile(
    r"Validation failed for ValidatingAdmissionPolicy '(charter-[a-z0-9-]+)' with binding '[^']*': (.*)"
)
BUILT_IN = frozenset({"", "apps", "batch", "autoscaling", "networking.k8s.io", "rbac.authorization.k8s.io"})
PATIENCE = 60
MOST_WARNED = 4096
"""Characters of warnings after which an API server shortens them."""


@dataclass(frozen=True)
class Answer:
    """What an API server said to one object: refused as malformed, or the rules that found something."""

    status: int
    said: str
    rules: frozenset[str]
    standard: bool
    """Whether Pod Security admission warned."""


class Admission:
    """A real API server with the rendered policies, asked by dry runs that warn and keep nothing."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._answers: dict[str, Answer] = {}
        self.plane = ControlPlane()

    def __enter__(self) -> Self:
        self.plane.start()
        port = int(self.plane.server.rpartition(":")[2])
        trusted = ssl.create_default_context(cafile=str(self.plane.folder / "authority.crt"))
        self._http = http.client.HTTPSConnection("127.0.0.1", port, timeout=60, context=trusted)
        self._install()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
        self.plane.stop()

    def _install(self) -> None:
        definitions = [_definition(kind) for (group, _), kind in KINDS.items() if group not in BUILT_IN]
        documents: list[dict[str, Any]] = [
            *definitions,
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/warn": "restricted"}},
            },
            *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in SPACES),
        ]
        for each in policies(self._facts, exempt=()):
            if each["kind"].endswith("Binding"):
                each["spec"]["validationActions"] = ["Warn"]
            documents.append(each)
        self.plane.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(documents))
        if definitions:
            self.plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        self._await_policies()

    def _await_policies(self) -> None:
        """Wait until the last policy is in force: they come to the server a moment after they were made."""
        probe = Sample("probe", json.loads(PROBE))
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if {"K8S-NS-02", "CH-01", "K8S-POD-12"} <= self.ask(probe).rules:
                return
            time.sleep(0.3)
        raise AssertionError(f"the policies never came into force: {self.ask(probe)}")

    def type_warnings(self) -> list[str]:
        """Return what the server's type checking found wrong in the expressions."""
        found = json.loads(self.plane.kubectl("get", "validatingadmissionpolicies", "-o", "json"))["items"]
        checked = [each.get("status", {}).get("typeChecking", {}) for each in found]
        return [json.dumps(warning) for each in checked for warning in each.get("expressionWarnings", [])]

    def refusal(self, document: dict[str, Any], rule: str) -> Answer:
        """Ask until a rule refuses an object: policies come into force a moment after they were made."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.ask(Sample("refused", document))
            if rule in answer.said:
                return answer
            time.sleep(0.3)
        raise AssertionError(f"{rule} never refused: {answer}")

    def verdict(self, sample: Sample) -> Answer:
        """Return what is said to an object; each is asked once, as long as the policies stay the same."""
        key = json.dumps(sample.document)
        if key not in self._answers:
            self._answers[key] = self.ask(sample)
        return self._answers[key]

    def ask(self, sample: Sample) -> Answer:
        """Create an object as a dry run and return what was said."""
        document = sample.document
        group = document["apiVersion"].rpartition("/")[0]
        kind = KINDS[group, document["kind"]]
        start = f"/apis/{document['apiVersion']}" if group else "/api/v1"
        namespace = document["metadata"].get("namespace")
        path = f"{start}/namespaces/{namespace}/{kind.plural}" if namespace else f"{start}/{kind.plural}"
        self._http.request(
            "POST",
            f"{path}?dryRun=All",
            body=json.dumps(document),
            headers={"Authorization": f"Bearer {self.plane.token}", "Content-Type": "application/json"},
        )
        response = self._http.getresponse()
        body = response.read().decode()
        warnings = [
            text.partition('"')[2].rpartition('"')[0].replace('\\"', '"')
            for text in response.headers.get_all("Warning") or []
        ]
        if sum(map(len, warnings)) >= MOST_WARNED:
            raise AssertionError(f"{sample.label}: warnings were shortened")
        rules = set()
        for text in warnings:
            found = WARNED.match(text)
            if found:
                rules.add(found[1].removeprefix("charter-").upper())
                if "resulted in error" in text:
                    raise AssertionError(f"{sample.label}: {text}")
        standard = any("PodSecurity" in text for text in warnings)
        return Answer(response.status, body, frozenset(rules), standard)


SPACES = ("istio-ingress", "istio-system", "falco", "chaos-mesh", "monitoring", "edge", "gateway", "other")
PROBE = json.dumps(
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "probe", "namespace": "default"},
        "spec": {"containers": [{"name": "a", "image": "a", "env": [{"name": "DB_PASSWORD", "value": "x"}]}]},
    }
)


def _definition(kind: Any) -> dict[str, Any]:
    """Return a definition of a custom resource of this kind that takes anything."""
    version = {
        "name": kind.version,
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "scope": "Cluster" if kind.kind.startswith("Cluster") else "Namespaced",
            "names": {"kind": kind.kind, "plural": kind.plural},
            "versions": [version],
        },
    }


def gator(samples: Sequence[Sample], facts: Facts) -> list[frozenset[str]]:
    """Return the rules that Gatekeeper's own judge finds in each object."""
    program = recipe().program("gator")
    if program is None:
        raise FileNotFoundError("gator is not built: run `python -m toolchain.gator`")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "law.yaml").write_text(yaml.safe_dump_all(templates(facts, exempt=())))
        documents = [_marked(index, sample) for index, sample in enumerate(samples)]
        (folder / "objects.yaml").write_text("---\n".join(json.dumps(each) + "\n" for each in documents))
        done = subprocess.run(
            [str(program), "test", "-f", str(folder), "-o", "json"], capture_output=True, text=True, check=False
        )
    said = [line for line in done.stderr.splitlines() if line.strip() and "is already defined in file" not in line]
    if said or done.returncode not in (0, 1):
        raise AssertionError(f"gator ended with {done.returncode}: {said[-10:]}")
    return _told(json.loads(done.stdout or "[]"), len(samples))


def _marked(index: int, sample: Sample) -> dict[str, Any]:
    """Return an object under a label of its own: gator names objects, not places in a file."""
    metadata = {**sample.document["metadata"]}
    metadata["annotations"] = {**metadata.get("annotations", {}), MARK: str(index)}
    return {**sample.document, "metadata": metadata}


MARK = "example.org/index"


def _told(results: Iterable[dict[str, Any]], count: int) -> list[frozenset[str]]:
    found: list[set[str]] = [set() for _ in range(count)]
    names = {f"charter-{wanted.rule.lower()}": wanted.rule for wanted in WANTED}
    for each in results:
        index = int(each["violatingObject"]["metadata"]["annotations"][MARK])
        if "error" in each["msg"].lower():
            raise AssertionError(each["msg"])
        found[index].add(names[each["constraint"]["metadata"]["name"]])
    return [frozenset(each) for each in found]
