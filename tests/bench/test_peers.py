"""The benchmark beside the peers, as far as it needs no Node: what is compared, judged and shown."""

import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import orjson
import psutil
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    is_introspection_type,
    parse,
    validate,
)

from bench import operations
from bench.pages import PageLatency
from bench.peers import chart, instant_stripe, node_programs, postgraphile
from bench.peers.answers import OtherAnswer, comparable, must_agree
from bench.peers.published import BEGIN, END, NoPlace, with_figures, write
from bench.peers.result import MAIN, Footprint, Machine, Measured, Result
from bench.peers.servers import (
    APOLLO,
    GATEWAY_NAME,
    MERCURIUS,
    NAIVE,
    POSTGRAPHILE,
    SERVERS,
    STARLETTE,
    Dialect,
    Server,
    node_environment,
)
from bench.peers.table import markdown, origin, printed
from bench.peers.targets import Verdict, verdicts
from bench.programs import cpu_seconds
from bench.turns import Figures
from domain.payment_status import PaymentStatus
from processor.stripe_shapes import outcome_of_intent

PEER = Server(name="A peer", command=("peer",))
OTHER_SHAPE = Server(name="Another peer", command=("peer",), dialect=Dialect.POSTGRAPHILE)
CPU_MS = {GATEWAY_NAME: 0.2, STARLETTE: 0.4, MERCURIUS: 0.3, APOLLO: 0.5, POSTGRAPHILE: 0.6, NAIVE: 9.0}
USER = UUID(int=7)


class TestAnswers:
    def test_that_are_alike_pass(self) -> None:
        must_agree("a question", PEER, [{"payment": {"id": "pay_1"}}], [{"payment": {"id": "pay_1"}}])

    def test_that_differ_in_one_value_stop_the_benchmark(self) -> None:
        with pytest.raises(OtherAnswer, match="A peer answers request 1 of “a question” differently"):
            must_agree("a question", PEER, [{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}])

    def test_that_are_fewer_stop_the_benchmark(self) -> None:
        with pytest.raises(ValueError, match="longer"):
            must_agree("a question", PEER, [], [{"a": 1}])

    def test_are_compared_without_the_ids_of_new_payments(self) -> None:
        body = orjson.dumps({"data": {"createPayment": {"payment": {"id": "pay_1", "status": "COMPLETED"}}}})

        assert comparable(body, Dialect.OURS) == {"createPayment": {"payment": {"status": "COMPLETED"}}}

    def test_of_another_shape_are_compared_without_their_cursors(self) -> None:
        ours = {"payments": {"pageInfo": {"hasNextPage": True, "endCursor": "ours"}}}

        must_agree("a question", OTHER_SHAPE, [{"payments": {"pageInfo": {"hasNextPage": True}}}], [ours])
        with pytest.raises(OtherAnswer):
            must_agree("a question", PEER, [{"payments": {"pageInfo": {"hasNextPage": True}}}], [ours])


class TestTranslation:
    def test_of_a_page_is_the_gateways(self) -> None:
        payment = {
            "id": str(USER),
            "status": "COMPLETED",
            "createdAt": "2023-11-14T22:13:20.000000Z",
            "minor": "1250",
            "currency": "EUR",
            "paymentMethod": {"id": str(USER), "last4": "4242"},
            "refunds": {"nodes": [{"id": str(USER), "minor": "250", "currency": "EUR"}]},
        }

        shown = postgraphile.translated(
            {"viewer": {"payments": {"nodes": [payment], "pageInfo": {"hasNextPage": False}}}}
        )

        expected = {
            "id": f"pay_{USER.hex}",
            "status": "COMPLETED",
            "createdAt": "2023-11-14T22:13:20Z",
            "amount": {"minor": 1250, "currency": "EUR"},
            "paymentMethod": {"id": f"mth_{USER.hex}", "last4": "4242"},
            "refunds": [{"id": f"rfd_{USER.hex}", "amount": {"minor": 250, "currency": "EUR"}}],
        }
        assert shown == {"payments": {"nodes": [expected], "pageInfo": {"hasNextPage": False}}}

    def test_of_a_dashboard_keeps_the_viewer_and_begins_with_the_default_method(self) -> None:
        methods = [{"id": str(UUID(int=n)), "isDefault": n == 2} for n in (1, 2, 3)]

        shown = postgraphile.translated({"viewer": {"id": str(USER), "paymentMethods": {"nodes": methods}}})

        assert shown["viewer"]["id"] == f"acc_{USER.hex}"
        assert [method["id"][-1] for method in shown["viewer"]["paymentMethods"]] == ["2", "1", "3"]


class TestSchemaOfThePeers:
    SOURCE = (node_programs.FOLDER / "schema.graphql").read_text()

    @pytest.mark.parametrize("document", ["ONE", "PAGE", "REFUNDS", "DASHBOARD", "CREATE"])
    def test_knows_every_document(self, document: str) -> None:
        assert validate(build_schema(self.SOURCE), parse(getattr(operations, document))) == []

    def test_is_part_of_the_gateways(self) -> None:
        theirs, ours = build_schema(self.SOURCE), build_schema(Path("schema.graphql").read_text())

        for name, kind in theirs.type_map.items():
            if not is_introspection_type(kind):
                assert members(kind).items() <= members(ours.type_map[name]).items(), name


class TestPackagesOfThePeers:
    PACKAGES = orjson.loads(node_programs.LOCK.read_bytes())["packages"]

    def test_are_pinned_by_their_hashes_and_name_no_registry(self) -> None:
        assert not [name for name, package in self.PACKAGES.items() if "resolved" in package]
        assert [name for name, package in self.PACKAGES.items() if "integrity" not in package] == [""]

    @pytest.mark.parametrize(("version", "number"), [("v24.22.3", 24), ("", 0)])
    def test_are_run_by_the_major_version_of_a_node(self, version: str, number: int) -> None:
        assert node_programs.major(version) == number

    def test_are_not_run_by_a_node_that_does_not_start(self, tmp_path: Path) -> None:
        assert node_programs.version(tmp_path / "node") == ""

    def test_cannot_be_installed_without_npm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "")

        with pytest.raises(node_programs.NoNode, match="npm, which is not on this machine"):
            node_programs.install()

    def test_bring_a_node_that_is_new_enough_to_every_platform_that_has_one(self) -> None:
        versions = [
            self.PACKAGES[f"node_modules/{name}"]["version"] for name in node_programs.PACKAGED.values()
        ]

        assert all(int(version.partition(".")[0]) >= node_programs.ENOUGH for version in versions)


class TestInstantStripe:
    def test_tells_the_gateway_of_a_payment_that_was_collected(self) -> None:
        asked = {
            "amount": "1250",
            "currency": "eur",
            "customer": "cus_1",
            "payment_method": "pm_1",
            "metadata[payment_id]": str(USER),
        }

        outcome = outcome_of_intent(instant_stripe.payment_intent(asked))

        assert (outcome.status, outcome.captured_amount) == (PaymentStatus.COMPLETED, 1250)
        assert outcome.snapshot is not None
        assert outcome.snapshot.last4 == "4242"

    def test_never_gives_two_payments_one_id(self) -> None:
        asked = {
            "amount": "1",
            "currency": "eur",
            "customer": "c",
            "payment_method": "p",
            "metadata[payment_id]": "",
        }

        first, second = (instant_stripe.payment_intent(asked) for _ in range(2))

        assert first["id"] != second["id"]


class TestProcessorTime:
    def test_is_what_the_kernel_accounts_to_the_process(self) -> None:
        before, clock = cpu_seconds(psutil.Process()), time.process_time()
        deadline = clock + 0.03
        while time.process_time() < deadline:
            pass

        assert cpu_seconds(psutil.Process()) - before == pytest.approx(time.process_time() - clock, abs=0.01)

    def test_of_children_counts_after_they_have_ended(self) -> None:
        busy = "import time\nwhile time.process_time() < 0.1: pass"
        before = cpu_seconds(psutil.Process())

        subprocess.run([sys.executable, "-S", "-c", busy], check=True)  # noqa: S603 - our own

        assert cpu_seconds(psutil.Process()) - before > 0.08

    def test_of_one_that_has_ended_is_none(self) -> None:
        with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as ended:
            process = psutil.Process(ended.pid)

        assert cpu_seconds(process) == 0.0


class TestVerdicts:
    def test_compare_the_processor_time_with_each_peers(self) -> None:
        found = {verdict.of: verdict for verdict in verdicts(result())}

        share = found[f"CPU over {MERCURIUS}, {operations.PAGE_OF_20}"]
        assert share.found == pytest.approx(2 / 3)
        assert share.is_held
        assert found[f"CPU over {NAIVE}, {operations.PAGE_OF_20}"].is_held
        assert not found["Seconds until ready"].is_held

    def test_judge_the_growth_of_pages(self) -> None:
        first, deep = (each for each in verdicts(result()) if each.of.startswith("CPU of the dearest"))

        assert [first.found, deep.found] == pytest.approx([1.1, 1.5])
        assert (first.is_held, deep.is_held) == (True, False)

    def test_leave_out_what_a_server_does_not_do(self) -> None:
        assert result().of(operations.CREATE_PAYMENT, POSTGRAPHILE) is None
        assert not [verdict for verdict in verdicts(result()) if f"{POSTGRAPHILE}, create" in verdict.of]

    @pytest.mark.parametrize(("found", "is_held"), [(0.9, True), (0.91, False)])
    def test_are_held_up_to_their_limit(self, found: float, is_held: bool) -> None:
        assert Verdict(of="", found=found, at_most=0.9).is_held is is_held


class TestReport:
    def test_says_what_each_server_took_and_what_was_reached(self) -> None:
        lines = printed(result(), verdicts(result())).splitlines()

        assert any(line.split()[-2:] == ["400", "60"] for line in lines if MERCURIUS in line)
        assert any("0.300" in line and "1.50" in line for line in lines if MERCURIUS in line)
        assert any(line.startswith("NOT HELD  Seconds until ready: 0.9") for line in lines)

    def test_in_markdown_has_tables_of_even_rows(self) -> None:
        blocks = markdown(result(), verdicts(result())).split("\n\n")

        tables = [block.splitlines() for block in blocks if block.startswith("|")]
        assert len(tables) == 6
        assert all(len({line.count(" | ") for line in lines}) == 1 for lines in tables)

    def test_says_where_its_figures_are_from(self) -> None:
        assert origin(result()).startswith("Measured on 24 November 2026 on 2 × A processor")

    def test_is_kept_for_programs(self, tmp_path: Path) -> None:
        write(result(), verdicts(result()), tmp_path / "peers.json")

        kept = orjson.loads((tmp_path / "peers.json").read_bytes())
        assert kept["payments"] == 10_000
        assert {verdict["held"] for verdict in kept["verdicts"]} == {True, False}


class TestChart:
    SPACE = "{http://www.w3.org/2000/svg}"

    def test_has_a_bar_for_every_server_that_does_an_operation(self) -> None:
        shown = image()

        bars = [each for each in shown.iter(f"{self.SPACE}rect") if "bar" in each.get("class", "")]
        assert len(bars) == sum(len(panel.figures) for panel in chart.panels(result()))
        assert len([each for each in bars if "ours" in each.get("class", "")]) == 3

    def test_cuts_a_bar_that_would_dwarf_all_others_and_still_tells_its_figure(self) -> None:
        shown = image()

        assert len(list(shown.iter(f"{self.SPACE}line"))) == 2
        assert any(text.text == "9,000 µs · 45×" for text in shown.iter(f"{self.SPACE}text"))

    def test_stays_within_its_edges(self) -> None:
        shown = image()

        ends = [
            float(each.get("x", "0")) + float(each.get("width", "0"))
            for each in shown.iter(f"{self.SPACE}rect")
        ]
        assert max(ends) <= chart.WIDTH


class TestPublished:
    def test_figures_take_the_place_of_earlier_ones(self) -> None:
        page = f"Before\n\n{BEGIN}\n\nold\n\n{END}\n\nAfter\n"

        assert with_figures(page, "new", Path("page.md")) == f"Before\n\n{BEGIN}\n\nnew\n\n{END}\n\nAfter\n"

    @pytest.mark.parametrize("page", ["", BEGIN, END])
    def test_figures_without_a_place_are_refused(self, page: str) -> None:
        with pytest.raises(NoPlace, match=r"page\.md"):
            with_figures(page, "new", Path("page.md"))

    @pytest.mark.parametrize("file", ["README.md", "docs/benchmark.md"])
    def test_figures_have_their_places_in_the_documentation(self, file: str) -> None:
        document = Path(file).read_text()

        assert with_figures(document, "new", Path(file)) != document


class TestServers:
    def test_have_names_of_their_own(self) -> None:
        assert len({server.name for server in SERVERS}) == len(SERVERS)

    def test_on_node_find_postgresql_by_its_own_variables(self) -> None:
        found = node_environment("postgresql+asyncpg://postgres@/bench?host=/var/run/pg&port=5432")

        assert {name: value for name, value in found.items() if name.startswith("PG")} == {
            "PGHOST": "/var/run/pg",
            "PGPORT": "5432",
            "PGUSER": "postgres",
            "PGDATABASE": "bench",
        }


def image() -> ElementTree.Element:
    return ElementTree.fromstring(chart.svg(result()))  # noqa: S314 - our own


def members(kind: object) -> Mapping[str, Any]:
    """What a type consists of, with the types of that."""
    if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType | GraphQLInterfaceType):
        return {name: str(field.type) for name, field in kind.fields.items()}
    return dict.fromkeys(kind.values) if isinstance(kind, GraphQLEnumType) else {}


def result() -> Result:
    """Of two operations, one of which PostGraphile and the naive server do not do."""
    servers = list(CPU_MS)
    done = [(operations.PAGE_OF_20, server) for server in servers]
    done += [(operations.CREATE_PAYMENT, server) for server in servers if server not in {POSTGRAPHILE, NAIVE}]
    return Result(
        on=date(2026, 11, 24),
        payments=10_000,
        machine=Machine(
            processor="A processor", processors=2, system="Linux", python="3.11", node="v24", is_pinned=True
        ),
        measured=[
            Measured(
                operation=operation,
                server=server,
                connections=connections,
                figures=Figures(requests_per_second=1000, p50_ms=2.0, p99_ms=5.0, cpu_ms=CPU_MS[server]),
                postgres_cpu_ms=0.1,
            )
            for operation, server in done
            for connections in (1, MAIN, 64)
        ],
        footprints=[
            Footprint(
                server=server, ready_seconds=0.9, resident=60 if server == GATEWAY_NAME else 400, unshared=60
            )
            for server in servers
        ],
        pages=[
            PageLatency(payments=10, after=0, p50_ms=1.0, cpu_ms=1.0),
            PageLatency(payments=10, after=5, p50_ms=1.0, cpu_ms=2.0),
            PageLatency(payments=500_000, after=0, p50_ms=1.0, cpu_ms=1.1),
            PageLatency(payments=500_000, after=250_000, p50_ms=1.0, cpu_ms=3.0),
        ],
    )
