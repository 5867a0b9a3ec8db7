"""The story that shows the whole way of a change, in a scratch repository: told by really doing it."""
