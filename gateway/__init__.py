"""The doorway: settings, wiring, the `payments-gateway` command, server, worker, development stack."""
