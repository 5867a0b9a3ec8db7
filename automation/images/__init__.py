"""New versions of images, as commits: what a registry has, as far as the folder allows, for Argo CD to read."""
