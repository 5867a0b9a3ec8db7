"""What goes with a release: its bill of materials from the locks, and where it comes from, signed."""
