"""
The gateway beside its peers: `make bench-peers`.

Each server answers the same questions from the same tables, as one process that verifies the same tokens. What each of
them does beyond that, and what it leaves out, is told in docs/benchmark.md.
"""
