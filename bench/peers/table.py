"""The result in words: for the terminal, and in Markdown for the documentation."""

from collections.abc import Callable, Iterator, Sequence

from bench.peers.result import MAIN, Measured, Result
from bench.peers.servers import GATEWAY_NAME
from bench.peers.targets import Verdict


def printed(result: Result, verdicts: Sequence[Verdict]) -> str:
    return "\n".join([*_lines(result), "", *map(str, verdicts)])


def _lines(result: Result) -> Iterator[str]:
    yield f"{result.payments:,} payments; {result.machine}"
    for operation in result.operations:
        yield ""
        yield (
            f"{operation:<32}{'CPU ms':>8}{'ratio':>8}{'PostgreSQL':>12}"
            + "".join(f"{f'c={connections}: 1/s, p50, p99 ms':>28}" for connections in result.connections)
        )
        for server in result.servers:
            if one := result.of(operation, server):
                yield f"  {server:<30}{_costs(result, one)}{_speeds(result, one)}"
            else:
                yield f"  {server:<30}{'-':>8}"
    yield ""
    yield f"{'':<32}{'ready s':>8}{'RSS MiB':>10}{'unshared':>10}"
    for each in result.footprints:
        yield f"  {each.server:<30}{each.ready_seconds:>8.2f}{each.resident:>10.0f}{each.unshared:>10.0f}"
    yield ""
    yield "A page of 5 by the gateway, one request at a time:"
    for page in result.pages:
        after = f"after {page.after:,}" if page.after else "the first"
        yield f"  of {page.payments:>9,} payments, {after:<16}{page.p50_ms:>6.2f} ms, CPU {page.cpu_ms:.2f} ms"


def _costs(result: Result, one: Measured) -> str:
    ratio = result.ratio(one.operation, one.server, GATEWAY_NAME) or 0.0
    return f"{one.figures.cpu_ms:>8.3f}{ratio:>8.2f}{one.postgres_cpu_ms:>12.3f}"


def _speeds(result: Result, one: Measured) -> str:
    return "".join(
        f"{found.figures.requests_per_second:>12.0f}{found.figures.p50_ms:>8.2f}{found.figures.p99_ms:>8.2f}"
        for connections in result.connections
        if (found := result.of(one.operation, one.server, connections))
    )


def markdown(result: Result, verdicts: Sequence[Verdict]) -> str:
    parts = [
        origin(result),
        f"The server's processor time per request in ms with {MAIN} requests under way (how many times the gateway's):",
        _by_operation(result, _processor_time),
        "PostgreSQL's processor time per request in ms:",
        _by_operation(result, _postgres_time),
        "Requests per second, and p50 and p99 in ms:",
        _speeds_by_connections(result),
        "The processes, after all that:",
        _footprints(result),
        "A page of 5 by the gateway, one request at a time, with the processor time of the gateway and PostgreSQL:",
        _pages(result),
        "Our targets, of which the first are ratios of processor time:",
        _verdicts(verdicts),
    ]
    return "\n\n".join(parts)


def origin(result: Result) -> str:
    """Where and when: a sentence that belongs to every figure."""
    where = "with a processor for the servers alone" if result.machine.is_pinned else "on shared processors"
    return f"Measured on {result.on:%d %B %Y} on {result.machine}, {where}; {result.payments:,} payments."


def _by_operation(result: Result, cell: Callable[[Result, Measured], str]) -> str:
    rows = [
        [server, *(cell(result, one) if one else "–" for one in _of_all_operations(result, server))]
        for server in result.servers
    ]
    return table(["", *result.operations], rows)


def _of_all_operations(result: Result, server: str) -> list[Measured | None]:
    return [result.of(operation, server) for operation in result.operations]


def _processor_time(result: Result, one: Measured) -> str:
    ratio = result.ratio(one.operation, one.server, GATEWAY_NAME) or 0.0
    return f"{one.figures.cpu_ms:.3f} ({ratio:.2f})"


def _postgres_time(_: Result, one: Measured) -> str:
    return f"{one.postgres_cpu_ms:.3f}"


def _speeds_by_connections(result: Result) -> str:
    rows = [
        [operation, server, *(_speed(result, operation, server, each) for each in result.connections)]
        for operation in result.operations
        for server in result.servers
    ]
    return table(["", "", *(f"{connections} at once" for connections in result.connections)], rows)


def _speed(result: Result, operation: str, server: str, connections: int) -> str:
    one = result.of(operation, server, connections)
    if one is None:
        return "–"
    found = one.figures
    return f"{found.requests_per_second:,.0f}/s, {found.p50_ms:.1f}, {found.p99_ms:.1f}"


def _footprints(result: Result) -> str:
    rows = [
        [each.server, f"{each.ready_seconds:.2f} s", f"{each.resident:.0f} MiB", f"{each.unshared:.0f} MiB"]
        for each in result.footprints
    ]
    return table(["", "first answer after", "resident", "not shared"], rows)


def _pages(result: Result) -> str:
    rows = [
        [
            f"{page.payments:,}",
            f"after {page.after:,}" if page.after else "the first",
            f"{page.p50_ms:.2f} ms",
            f"{page.cpu_ms:.2f} ms",
        ]
        for page in result.pages
    ]
    return table(["payments of the user", "page", "p50", "processor time"], rows)


def _verdicts(verdicts: Sequence[Verdict]) -> str:
    rows = [
        [each.of, f"{each.found:.3g}", f"{each.at_most:.3g}", "yes" if each.is_held else "**no**"]
        for each in verdicts
    ]
    return table(["target", "found", "at most", "held"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
