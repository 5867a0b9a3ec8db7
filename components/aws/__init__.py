"""AWS: one explicit provider per account, a network and a cluster per region."""
