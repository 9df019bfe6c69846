"""The way to an OpenAI-compatible server: requests, limits, replies kept, launching."""
