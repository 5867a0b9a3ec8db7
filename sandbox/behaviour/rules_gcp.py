"""Rules of gcp that a table cannot hold."""
