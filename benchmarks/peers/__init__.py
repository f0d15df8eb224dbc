"""The peers of the side-by-side benchmark: each a small program in a process of its own, run by benchmarks/bench.py."""
