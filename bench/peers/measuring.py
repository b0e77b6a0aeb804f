"""The measuring: one server, one operation and so many requests under way for a moment, then another, shuffled."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.peers.questions import Question
from bench.peers.result import MAIN, Footprint, Measured
from bench.peers.servers import Server
from bench.programs import Program, tree
from bench.turns import SEED, Turn, figures, turn

MIB: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """In each of `turns` rounds, every server answers every question for so many seconds."""

    connections: int
    turns: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What is measured: who, on what, and beside which PostgreSQL."""

    servers: Sequence[Server]
    programs: Mapping[str, Program]
    questions: Sequence[Question]
    postgres: Program

    @property
    def entries(self) -> list[tuple[Server, Question]]:
        return [
            (server, question)
            for question in self.questions
            for server in self.servers
            if server.dialect in question.requests
        ]

    def warm_up(self, *, seconds: float) -> None:
        """So that compilers have compiled, and every connection knows its statements."""
        for server, question in self.entries:
            self.turn(server, question, Rounds(connections=MAIN, turns=1, seconds=seconds))

    def turn(self, server: Server, question: Question, rounds: Rounds) -> tuple[Turn, float]:
        """With PostgreSQL's processor time in seconds."""
        before = self.postgres.cpu_seconds()
        found = turn(
            self.programs[server.name],
            question.requests[server.dialect],
            seconds=rounds.seconds,
            connections=rounds.connections,
        )
        return found, self.postgres.cpu_seconds() - before


def measured(contest: Contest, rounds: Rounds) -> list[Measured]:
    found: dict[tuple[str, str], list[tuple[Turn, float]]] = {}
    order = contest.entries
    shuffle = random.Random(SEED).shuffle  # noqa: S311 - an order, not a secret
    for _ in range(rounds.turns):
        shuffle(order)
        for server, question in order:
            shown = contest.turn(server, question, rounds)
            found.setdefault((question.name, server.name), []).append(shown)
    return [
        Measured(
            operation=question.name,
            server=server.name,
            connections=rounds.connections,
            figures=figures([turn for turn, _ in found[question.name, server.name]]),
            postgres_cpu_ms=median(
                seconds / len(turn.latencies) * 1000 for turn, seconds in found[question.name, server.name]
            ),
        )
        for server, question in contest.entries
    ]


def footprint(name: str, program: Program) -> Footprint:
    memory = [process.memory_full_info() for process in tree(program.pid)]
    return Footprint(
        server=name,
        ready_seconds=program.ready_seconds,
        resident=sum(each.rss for each in memory) / MIB,
        unshared=sum(each.uss for each in memory) / MIB,
    )
