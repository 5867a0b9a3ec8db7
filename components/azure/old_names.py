"""Spare the engine the names that a type had in other API versions.

Each class of azure-native declares its type under every API version as an alias: 60 for a subnet, 113 for a cluster.
A state of ours never held one of them, because only the unversioned types are used, and they cost most of the
program's time: 2,000 URNs for a region of 60 resources.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import pulumi

VERSIONED: Final = re.compile(r"^azure-native:[a-z]+/v\d{8}\w*:")


def spared(opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """Return a component's options with the sparing added: everything below it inherits that."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=[_spare]))


def _spare(
    args: pulumi.ResourceTransformationArgs,
) -> pulumi.ResourceTransformationResult | None:
    aliases: Sequence[Any] | None = args.opts.aliases
    if not aliases:
        return None
    args.opts.aliases = [alias for alias in aliases if not _is_other_version(alias)]
    return pulumi.ResourceTransformationResult(args.props, args.opts)


def _is_other_version(alias: object) -> bool:
    """Say whether an alias names a type of a fixed API version; renamed and re-parented resources keep theirs."""
    kind = getattr(alias, "type_", None)
    return isinstance(kind, str) and VERSIONED.match(kind) is not None
