"""`python -m gateway` is the `payments-gateway` command."""

import gc

from gateway.sparing import spared


def main() -> None:
    """
    Load the commands, then carry one out.

    What is made meanwhile lives as long as the process, so that the garbage collector neither looks for garbage in it
    now, which would be a fifth of the start, nor ever again.
    """
    gc.disable()
    with spared("rich"):
        import structlog  # noqa: F401 - it draws tracebacks with rich where there is one; ours are plain.
    from gateway import cli

    gc.freeze()
    gc.enable()
    cli.main()


if __name__ == "__main__":
    main()
