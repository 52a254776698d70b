"""Benchmarks: what users wait for, beside the machine's own limits. Run by `make bench`."""
