"""Typed custom resources, made from upstream's definitions: `python -m components.kubernetes.crds.generate`."""
