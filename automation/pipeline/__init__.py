"""The way from a commit to a running platform: stages, gates, canaries and previews, the same on a laptop and in CI."""
