"""The look-ups that a program makes, answered offline."""
