"""What runs inside the trainer: logs, checkpoints, probes, controls."""
