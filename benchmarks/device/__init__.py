"""The parts of `benchmarks.gpu`: one measured thing a module."""
