"""The policy pack: every rule of the charter, behind one dispatcher per level."""

from charter.pack import serve

serve()
