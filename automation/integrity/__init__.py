"""Is this checkout what it should be: structure, locks, signatures, no stand-ins in production code, no secrets."""
