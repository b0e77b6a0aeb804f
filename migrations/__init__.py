"""The database's history, one file per step. A busy table is never locked for long: see CONTRIBUTING.md."""
