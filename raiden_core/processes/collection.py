"""Making many objects that hold no cycles, such as the rows of a file, without the collector's looking for cycles.

Python looks through everything that there is again and again while the number of objects grows; for a hundred thousand
rows that takes as long as reading them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Inside the block no garbage is collected that only cycles keep alive; it is collected afterwards."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
