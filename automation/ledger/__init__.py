"""What was done, by whom, with what outcome: an append-only chain that shows when somebody rewrites it."""
