"""
What the speed claims are measured with: `make bench`, or `python -m bench --quick` for a smoke run.

The gateway runs as users run it, on a real PostgreSQL with a million payments, and beside it a hand-written
route that does the same work. Both are measured in the same run and in shuffled turns, because the figures of
one machine and hour are worth little: the ratio between the two is what holds elsewhere.
"""

from typing import Final

HOST: Final = "127.0.0.1"
