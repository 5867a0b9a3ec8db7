"""Answers to drift: adopt it into the stack file, revert it, or ignore it until a date."""
