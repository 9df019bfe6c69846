"""The parent process of a training script: starting, following, restarting it."""
