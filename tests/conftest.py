"""What all tests share: several processes of them may compute at once, on few cores."""

from raiden_core.processes.threads import share_cores

share_cores()  # before any test imports torch

pytest_plugins = ["tests.support.tiny_models"]
