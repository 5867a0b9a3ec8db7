"""The stage: stand-in clouds that answer the engine offline; only automation and tests import it."""
