"""What stands on every cluster; given a `Cluster`, nothing here asks which cloud made it."""
