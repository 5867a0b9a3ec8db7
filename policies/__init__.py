"""The law: the integrity charter as rules. A process of its own; imports no other room and none imports it."""
