"""Prefect flows and the `raiden` command. They only chain tasks."""
