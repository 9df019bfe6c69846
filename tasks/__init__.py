"""Prefect tasks, one file a stage: caching, retries, artifacts, progress. The work itself is raiden_core's."""
