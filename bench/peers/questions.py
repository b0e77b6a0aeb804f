"""What is asked of every server, in the words of each dialect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from bench import dataset
from bench.operations import READS, Operation, operations
from bench.peers import payers, postgraphile
from bench.peers.servers import Dialect
from bench.stack import connected


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The n-th request of one dialect asks for the same as the n-th of another; not all dialects know it."""

    name: str
    requests: Mapping[Dialect, Sequence[bytes]]


async def questions(address: str, payments: int) -> list[Question]:
    async with connected(address) as connection:
        some = await dataset.some_payments(connection)
        paying = await payers.added(connection)
    users = [dataset.user_id(number) for number in dataset.others(payments)[: dataset.SAMPLED]]
    theirs = postgraphile.requests(some, users)
    asked = zip_longest(operations(some, users, paying), theirs)
    return [question(operation, others) for operation, others in asked]


def question(operation: Operation, theirs: Sequence[bytes] | None) -> Question:
    requests: dict[Dialect, Sequence[bytes]] = {
        Dialect.OURS: operation.gateway,
        Dialect.HAND_WRITTEN: operation.hand_written,
    }
    if operation.name in READS:
        requests[Dialect.OUR_READS] = operation.gateway
    if theirs:
        requests[Dialect.POSTGRAPHILE] = theirs
    return Question(name=operation.name, requests=requests)
