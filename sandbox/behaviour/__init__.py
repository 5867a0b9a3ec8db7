"""What the SDKs do not know: replacement, ranges, references, ids; one sourced row per type."""
