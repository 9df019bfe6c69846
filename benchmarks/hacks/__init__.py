"""A reward with a planted hole: does training find it, and does a gate close it? ``python -m benchmarks.hacks``."""
