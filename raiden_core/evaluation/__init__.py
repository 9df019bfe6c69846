"""Evaluation: greedy answers of the base and the trained model, their scores, and how sure one can be of them."""
