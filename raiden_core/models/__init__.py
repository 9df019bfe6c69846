"""Whoever answers a prompt: local folders, vLLM, servers."""
