"""What all tests share: several processes of them may compute at once, on few cores."""

from raiden_core.threads import share_cores

share_cores()  # before any test imports torch
