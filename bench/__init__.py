"""Benchmarks: they measure, print and record; they never fail by the clock."""
