"""GRPO in plain PyTorch, to read and as an oracle of the real one."""
