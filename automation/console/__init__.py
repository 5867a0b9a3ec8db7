"""The console: what the pipelines, the gates, drift, cost and the ledger say, in a browser, read-only."""
