"""Rules of aws that a table cannot hold."""
