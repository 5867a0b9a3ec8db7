"""Rules of azure that a table cannot hold."""
