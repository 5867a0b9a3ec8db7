"""The report that people read in a pull request: one model, one order, four pictures of it, one comment."""
