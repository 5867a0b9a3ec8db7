"""What the name of an instance type says about the image it needs."""

from __future__ import annotations

import re
from typing import Final

NAME: Final = re.compile(r"^(?P<series>[a-z]+)(?P<generation>\d+)(?P<options>[a-z0-9-]*)\.[a-z0-9-]+$")
ACCELERATED: Final = {"g": "NVIDIA", "gr": "NVIDIA", "p": "NVIDIA", "inf": "NEURON", "trn": "NEURON"}


def ami_type(instance_type: str) -> str:
    """Choose the Amazon Linux 2023 image: Graviton (a `g` after the generation, or `a1`), GPU, Neuron, or standard.

    Source: docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html and
    docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html#AmazonEKS-Type-Nodegroup-amiType, 2026-11.
    Raises ValueError for a text that is no instance type.
    """
    found = NAME.match(instance_type)
    if found is None:
        raise ValueError(f"{instance_type!r} is not an instance type of AWS, such as m7g.xlarge")
    arm = "g" in found["options"] or found["series"] + found["generation"] == "a1"
    return f"AL2023_{'ARM_64' if arm else 'x86_64'}_{ACCELERATED.get(found['series'], 'STANDARD')}"
