"""`python -m gateway` is the `payments-gateway` command."""

from gateway.cli import main

main()
