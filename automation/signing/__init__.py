"""The plan as a contract: what somebody saw and signed is the only thing that may happen."""
