"""Benchmarks against the limit: each compares something of the lab with the least that the same servers and languages need for it."""
