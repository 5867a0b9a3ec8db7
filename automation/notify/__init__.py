"""Alerts: what happened becomes a severity, an action and a message that arrives once."""
