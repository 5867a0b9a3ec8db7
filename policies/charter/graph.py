"""The stack as a graph: types, parents, what feeds which property, and who refers to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property

from charter.rule import Resource


class Graph:
    """Resources with their relations; built once per stack and shared by all stack rules."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = tuple(resources)
        self.by_urn = {resource.urn: resource for resource in self.resources}
        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        for resource in self.resources:
            if resource.origin != "read":  # what the stack only looks at can be named, and is not judged
                self._by_type[resource.type].append(resource)

    def of(self, *patterns: str) -> list[Resource]:
        """Return the resources of some types, in the order in which they were registered."""
        found: list[Resource] = []
        for pattern in patterns:
            if pattern == "*":
                found += self.resources
            elif pattern.endswith("*"):
                for kind, resources in self._by_type.items():
                    if kind.startswith(pattern[:-1]):
                        found += resources
            else:
                found += self._by_type.get(pattern, ())
        return found

    def feeds(self, resource: Resource, prop: str) -> list[Resource]:
        """Return the resources whose outputs made a top-level property."""
        urns = resource.property_dependencies.get(prop, ())
        return [self.by_urn[urn] for urn in urns if urn in self.by_urn]

    def named(self, resource: Resource, prop: str, *kinds: str) -> list[Resource]:
        """Return the resources of some kinds that a property names: by what fed it, and by the ids that stand there."""
        fed = [each for each in self.feeds(resource, prop) if each.type in kinds and each.urn != resource.urn]
        value = resource.props.get(prop)
        literal = self.called(value if isinstance(value, list) else [value])
        return [*fed, *(each for each in literal if each.type in kinds and each not in fed)]

    def refers(self, resource: Resource, target: Resource, *props: str) -> bool:
        """Say whether one of the properties (any, when none is named) was made from the target.

        A literal counts too when it is the target's own name or id.
        """
        names = props or tuple(resource.property_dependencies)
        if any(target.urn in resource.property_dependencies.get(prop, ()) for prop in names):
            return True
        own = self._names[target.urn]
        return bool(own) and any(resource.props.get(prop) in own for prop in props if _hashable(resource, prop))

    def called(self, ids: Iterable[object]) -> list[Resource]:
        """Return the resources that bear one of these ids; only states know ids."""
        return [self._ids[each] for each in ids if isinstance(each, str) and each in self._ids]

    def referrers(self, target: Resource, pattern: str, *props: str) -> list[Resource]:
        """Return the resources of a type that refer to the target."""
        return [each for each in self.of(pattern) if self.refers(each, target, *props)]

    def parents(self, resource: Resource) -> Iterator[Resource]:
        """Yield the parent, its parent, and so on."""
        seen = {resource.urn}
        urn = resource.parent
        while urn and urn in self.by_urn and urn not in seen:
            seen.add(urn)
            yield self.by_urn[urn]
            urn = self.by_urn[urn].parent

    def same_provider(self, one: Resource, other: Resource) -> bool:
        """Say whether two resources live with the same provider instance: the same cluster, for Kubernetes."""
        return one.provider_urn == other.provider_urn

    @cached_property
    def _ids(self) -> dict[str, Resource]:
        return {resource.id: resource for resource in self.resources if resource.id}

    @cached_property
    def _names(self) -> dict[str, frozenset[str]]:
        keys = ("id", "arn", "name", "bucket", "selfLink")
        return {
            resource.urn: frozenset(
                str(resource.props[key])
                for key in keys
                if isinstance(resource.props.get(key), str) and resource.props[key]
            )
            | ({resource.id} - {""})
            for resource in self.resources
        }


def _hashable(resource: Resource, prop: str) -> bool:
    return isinstance(resource.props.get(prop), str)
