"""
Experiments against the whole program: real processes are killed, flooded, starved, and a ledger is the referee.

`python -m tests.chaos --seed 7` runs them all and prints a table; docs/reliability.md says what each of them promises.
"""
