"""The building: typed components that create resources on the clouds and on the clusters."""
