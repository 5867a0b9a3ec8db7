"""What the installed SDKs know about their types, read from their source without importing them."""
