"""`python -m tests.chaos --seed 7`: some minutes; with --full, some hours."""

import argparse
import asyncio
import signal
import sys
import time
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.chaos.catalogue import EXPERIMENTS
from tests.chaos.finding import Finding
from tests.chaos.laboratory import Effort, Laboratory, laboratory
from tests.chaos.table import printed


async def findings(laboratory: Laboratory, names: list[str]) -> list[Finding]:
    found = []
    for name in names:
        began = time.monotonic()
        shown = await found_by(name, laboratory)
        tell(f"{name}: {'holds' if all(each.holds for each in shown) else 'MISSED'}, ", began)
        found += shown
    return found


async def found_by(name: str, laboratory: Laboratory) -> list[Finding]:
    """An experiment that breaks off has missed its target, and the others go on."""
    try:
        return await EXPERIMENTS[name](laboratory)
    except Exception as broken:  # noqa: BLE001 - it is told, and counts as a miss
        traceback.print_exc()
        measured = f"broke off: {type(broken).__name__}: {str(broken)[:200]}"
        return [
            Finding(experiment=name.upper(), tried="", measured=measured, target="an outcome", holds=False)
        ]


def tell(said: str, began: float) -> None:
    sys.stderr.write(f"{said}{time.monotonic() - began:.0f} s\n")


async def run(arguments: argparse.Namespace, folder: Path) -> bool:
    effort = Effort.FULL if arguments.full else Effort.USUAL
    async with laboratory(folder, seed=arguments.seed, effort=effort) as made:
        found = await findings(made, arguments.only or list(EXPERIMENTS))
    sys.stdout.write(f"{printed(found)}\n\nSeed {arguments.seed}.\n")
    return all(each.holds for each in found)


def names(text: str) -> list[str]:
    asked = [name.strip().lower() for name in text.split(",") if name.strip()]
    if unknown := [name for name in asked if name not in EXPERIMENTS]:
        raise argparse.ArgumentTypeError(f"no such experiment: {', '.join(unknown)}")
    return asked


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=7, help="decides everything that is left to chance here")
    parser.add_argument("--full", action="store_true", help="with the counts of docs/reliability.md")
    parser.add_argument("--only", type=names, help=f"some of {','.join(EXPERIMENTS)}")
    parser.add_argument("--keep", type=Path, help="a new folder for the logs, which otherwise go away")
    return parser


def main() -> None:
    arguments = options().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by an exception, which ends every process
    if arguments.keep:
        arguments.keep.mkdir(parents=True)
        holds = asyncio.run(run(arguments, arguments.keep.resolve()))
    else:
        with TemporaryDirectory(prefix="payments-chaos-") as folder:
            holds = asyncio.run(run(arguments, Path(folder)))
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
