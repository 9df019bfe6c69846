"""What tests and benchmarks share: servers that play a model, well or badly."""
