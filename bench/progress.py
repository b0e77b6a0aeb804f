"""What a run is busy with, for whoever waits."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    sys.stderr.write(f"  {name}: {time.perf_counter() - began:.0f} s\n")
