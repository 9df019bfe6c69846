"""What a configuration will need before it runs: memory on each device by part, whether it fits, steps and time."""
