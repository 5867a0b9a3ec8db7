"""The door to clusters: the rules over Kubernetes objects, written for the API server and for Gatekeeper."""
