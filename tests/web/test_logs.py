import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from web.logs import TALKATIVE, configure_logs
from web.request_id import use_request_id

CARD = "4242424242424242"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)
    structlog.reset_defaults()


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


class TestJson:
    def test_our_event_is_one_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(as_json=True, level="INFO")

        structlog.get_logger().info("http.request", status=200)

        (line,) = written(capsys)
        assert line.pop("timestamp").endswith("Z")
        assert line == {"event": "http.request", "level": "info", "status": 200}

    @pytest.mark.parametrize("name", ["uvicorn.error", "sqlalchemy.pool", "asyncio", "alembic", "pgqueuer"])
    def test_library_writes_the_same_shape(self, capsys: pytest.CaptureFixture[str], name: str) -> None:
        configure_logs(as_json=True, level="INFO")

        logging.getLogger(name).warning("Started %s with whsec_abc", 17)

        (line,) = written(capsys)
        assert line.pop("timestamp").endswith("Z")
        assert line == {"event": "Started 17 with [redacted]", "level": "warning", "logger": name}

    def test_every_line_of_a_request_names_it(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(as_json=True, level="INFO")
        use_request_id("order-17")

        structlog.get_logger().info("a")
        logging.getLogger("theirs").info("b")

        use_request_id("")
        assert [line["request_id"] for line in written(capsys)] == ["order-17", "order-17"]

    def test_context_is_merged_into_both(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(as_json=True, level="INFO")

        with structlog.contextvars.bound_contextvars(job="webhook"):
            structlog.get_logger().info("a")
            logging.getLogger("theirs").info("b")

        assert [line["job"] for line in written(capsys)] == ["webhook", "webhook"]

    @pytest.mark.parametrize("logger", [structlog.get_logger(), logging.getLogger("theirs")])
    def test_exception_is_told_without_locals_and_without_secrets(
        self, capsys: pytest.CaptureFixture[str], logger: logging.Logger
    ) -> None:
        configure_logs(as_json=True, level="INFO")
        local = "".join(("only", "-", "local"))

        try:
            raise ValueError(f"{CARD} and sk_live_abc and {len(local)}")
        except ValueError:
            logger.exception("it.failed")

        (line,) = written(capsys)
        assert line["level"] == "error"
        assert line["exception"].endswith("ValueError: [card number] and [redacted] and 10")
        assert "only-local" not in str(line)

    def test_text_that_is_no_unicode_can_be_written(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(as_json=True, level="INFO")

        structlog.get_logger().info("a", path="\ud800\n\x1b[31m", rate=float("inf"), n=10**30)

        (line,) = written(capsys)
        assert line["path"] == "\ud800\n\x1b[31m"
        assert line["rate"] == "inf"

    def test_text_that_ends_a_line_for_some_readers_is_escaped(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        configure_logs(as_json=True, level="INFO")

        structlog.get_logger().info("a", path="one\u2028two\x85three")

        text = capsys.readouterr().err
        assert text.isascii()
        assert len(text.splitlines()) == 1


class TestConsole:
    def test_is_readable_and_redacted_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(as_json=False, level="INFO")

        try:
            raise ValueError("whsec_abc")
        except ValueError:
            structlog.get_logger().exception("it.failed", client_secret="pi_1_secret_2", card=CARD)

        text = capsys.readouterr().err
        assert "it.failed" in text
        assert "ValueError: [redacted]" in text
        assert "_secret_2" not in text
        assert CARD not in text


class TestLevel:
    def test_lower_levels_are_not_written(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(as_json=True, level="warning")

        for logger in (structlog.get_logger(), logging.getLogger("theirs")):
            logger.info("quiet")
            logger.warning("loud")

        assert [line["event"] for line in written(capsys)] == ["loud", "loud"]

    @pytest.mark.parametrize("name", ["httpx", "stripe", "httpcore"])
    def test_library_that_tells_whole_requests_is_heard_from_warnings_on(
        self, capsys: pytest.CaptureFixture[str], name: str
    ) -> None:
        configure_logs(as_json=True, level="DEBUG")

        logging.getLogger(name).info("GET https://example.com/?token=abc")
        logging.getLogger(name).warning("slow")

        assert [line["event"] for line in written(capsys)] == ["slow"]

    def test_second_configuration_replaces_the_first(self, capsys: pytest.CaptureFixture[str]) -> None:
        configure_logs(as_json=False, level="DEBUG")
        configure_logs(as_json=True, level="INFO")

        structlog.get_logger().info("once")

        assert [line["event"] for line in written(capsys)] == ["once"]

    @pytest.mark.parametrize("level", ["", "LOUD", "10"])
    def test_unknown_level_is_refused(self, level: str) -> None:
        with pytest.raises(ValueError, match="no log level"):
            configure_logs(as_json=True, level=level)
