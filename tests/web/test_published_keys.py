import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain.errors import IdentityUnavailable
from gateway.server import listening_socket
from tests.clocks import MonotonicClock
from tests.waiting import until
from tests.web.in_process import Events
from tests.web.issuer import IssuerKey, ec_key, published, rsa_key
from tests.web.user_service import PATH, UserService
from web import jwks
from web.jwk_set import MOST_KEYS
from web.jwks import LARGEST_SET, KeySetAddress
from web.published_keys import LONGEST_STALE, PAUSE, PublishedKeys
from web.token_keys import TokenKey

RSA, EC = rsa_key(), ec_key()
Misbehaviour = Callable[[UserService], None]


@pytest.fixture
def clock() -> MonotonicClock:
    return MonotonicClock()


@pytest.fixture
async def keys(user_service: UserService, clock: MonotonicClock) -> AsyncIterator[PublishedKeys]:
    keys = PublishedKeys(KeySetAddress(user_service.url), lifetime=300, clock=clock)
    yield keys
    user_service.goes_on.set()
    await keys.close()


@pytest.fixture
async def known(keys: PublishedKeys, user_service: UserService, clock: MonotonicClock) -> PublishedKeys:
    """With one RSA key, read long ago."""
    user_service.keys = [RSA]
    assert await keys.find("rsa-1")
    clock.seconds += PAUSE
    user_service.readings.clear()
    return keys


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "READ_SECONDS", 0.2)


class TestFind:
    @pytest.mark.parametrize("key", [RSA, EC])
    async def test_published_key_is_found_by_its_name(
        self, keys: PublishedKeys, user_service: UserService, key: IssuerKey
    ) -> None:
        user_service.keys = [RSA, EC]

        found = await keys.find(key.key_id)

        assert found is not None
        assert (found.key_id, found.algorithm) == (key.key_id, key.algorithm)

    async def test_many_at_once_cause_one_reading(
        self, keys: PublishedKeys, user_service: UserService
    ) -> None:
        user_service.keys = [RSA]
        user_service.goes_on.clear()
        asking = [asyncio.create_task(keys.find("rsa-1")) for _ in range(50)]
        await until(lambda: asyncio.sleep(0, user_service.readings))

        user_service.goes_on.set()
        found = await asyncio.gather(*asking)

        assert all(found)
        assert user_service.readings == [PATH]

    async def test_key_that_is_known_is_not_asked_for_again(
        self, known: PublishedKeys, user_service: UserService, clock: MonotonicClock
    ) -> None:
        first = await known.find("rsa-1")
        clock.seconds += 1_000_000

        assert await known.find("rsa-1") is first
        assert user_service.readings == []

    async def test_new_key_is_found_as_soon_as_a_token_names_it(
        self, known: PublishedKeys, user_service: UserService
    ) -> None:
        user_service.keys = [RSA, EC]

        assert await known.find("ec-1")
        assert len(user_service.readings) == 1

    async def test_flood_of_unknown_names_causes_one_reading_per_pause(
        self, known: PublishedKeys, user_service: UserService, clock: MonotonicClock
    ) -> None:
        names = ["../../etc/passwd", "k" * 200, "rsa-1\0", "'; DROP TABLE keys", *map(str, range(100))]

        for _pause in range(3):
            assert not any(await asyncio.gather(*map(known.find, names)))
            for name in names:
                with pytest.raises(IdentityUnavailable):
                    await known.find(name)
            clock.seconds += PAUSE

        assert len(user_service.readings) == 3

    async def test_who_gives_up_leaves_the_reading_to_the_others(
        self, keys: PublishedKeys, user_service: UserService
    ) -> None:
        user_service.keys = [RSA]
        user_service.goes_on.clear()
        impatient, patient = (asyncio.create_task(keys.find("rsa-1")) for _ in range(2))
        await until(lambda: asyncio.sleep(0, user_service.readings))

        impatient.cancel()
        await asyncio.wait([impatient])
        user_service.goes_on.set()

        assert await patient
        assert len(user_service.readings) == 1


class TestRotation:
    async def test_within_a_pause_makes_nobody_a_stranger_but_wait_for_its_end(
        self, known: PublishedKeys, user_service: UserService, clock: MonotonicClock
    ) -> None:
        assert await known.find("made-up") is None
        user_service.keys = [RSA, EC]
        clock.seconds += 1.5

        with pytest.raises(IdentityUnavailable) as unavailable:
            await known.find("ec-1")
        clock.seconds += unavailable.value.retry_after_seconds

        assert unavailable.value.retry_after_seconds == 4
        assert await known.find("ec-1")

    async def test_withdrawn_key_is_told_and_not_found_any_more(
        self, known: PublishedKeys, user_service: UserService, events: Events
    ) -> None:
        withdrawn: list[TokenKey] = []
        known.when_withdrawn(withdrawn.extend)
        former = known.get("rsa-1")
        user_service.keys = [EC]

        assert await known.find("ec-1")

        assert withdrawn == [former]
        assert known.get("rsa-1") is None
        assert {**events[-1]} == {
            "event": "jwks.changed",
            "log_level": "info",
            "added": ["ec-1"],
            "withdrawn": ["rsa-1"],
        }

    async def test_other_key_of_the_same_name_replaces_it(
        self, known: PublishedKeys, user_service: UserService
    ) -> None:
        withdrawn: list[TokenKey] = []
        known.when_withdrawn(withdrawn.extend)
        former = known.get("rsa-1")
        user_service.keys = [ec_key("rsa-1"), EC]

        await known.find("ec-1")

        assert withdrawn == [former]
        assert (found := known.get("rsa-1")) is not None
        assert found.algorithm == "ES256"

    async def test_key_that_stays_is_the_same_object(
        self, known: PublishedKeys, user_service: UserService
    ) -> None:
        former = known.get("rsa-1")
        user_service.keys = [EC, RSA]

        await known.find("ec-1")

        assert known.get("rsa-1") is former

    async def test_set_without_any_key_withdraws_all_of_them(
        self, known: PublishedKeys, user_service: UserService
    ) -> None:
        user_service.keys = []

        with pytest.raises(IdentityUnavailable):
            await known.find("ec-1")

        assert known.get("rsa-1") is None

    async def test_keys_that_do_not_suit_are_told_once(
        self, known: PublishedKeys, user_service: UserService, clock: MonotonicClock, events: Events
    ) -> None:
        user_service.answers(content=published(RSA, EC.jwk(crv="P-384")))

        for _ in range(3):
            await known.find("ec-1")
            clock.seconds += PAUSE

        told = [event["reasons"] for event in events if event["event"] == "jwks.keys_refused"]
        assert told == [{"key 2": "its crv is not P-256"}]


def compressed(service: UserService) -> None:
    service.answers(content=gzip.compress(published(RSA, EC)), content_encoding="gzip")


MISBEHAVIOUR: dict[str, tuple[Misbehaviour, str]] = {
    "error": (lambda service: service.answers(500), "status 500"),
    "not there": (lambda service: service.answers(404), "status 404"),
    "empty": (lambda service: service.answers(), "not JSON"),
    "nothing new": (lambda service: service.answers(304), "status 304"),
    "a page": (lambda service: service.answers(content=b"<html>Sign in</html>"), "not JSON"),
    "no key set": (lambda service: service.answers(content=b"[]"), "not a JSON object"),
    "too many keys": (
        lambda service: service.answers(content=published(*[{}] * (MOST_KEYS + 1))),
        "more than",
    ),
    "huge": (lambda service: service.answers(content=b" " * LARGEST_SET + published(EC)), "more than"),
    "without an end": (lambda service: service.streams(b" " * 10_000), "more than"),
    "in drops": (lambda service: service.streams(b" ", pause=0.01), "in time"),
    "not at all": (lambda service: service.goes_on.clear(), "in time"),
    "compressed": (compressed, "it is compressed"),
    "a redirect": (lambda service: service.answers(302, location="/elsewhere.json"), "status 302"),
    "a permanent one": (
        lambda service: service.answers(308, published(EC), location="/elsewhere.json"),
        "status 308",
    ),
}


def self_signed(folder: Path) -> ssl.SSLContext:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(EC.private.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(EC.private, SHA256())
    )
    key = EC.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(key + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context


class TestOutage:
    @pytest.mark.parametrize(("misbehave", "reason"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR)
    async def test_known_keys_go_on_and_others_cannot_be_told(
        self,
        known: PublishedKeys,
        user_service: UserService,
        impatient: None,
        events: Events,
        misbehave: Misbehaviour,
        reason: str,
    ) -> None:
        misbehave(user_service)

        async with asyncio.timeout(2):
            with pytest.raises(IdentityUnavailable) as unavailable:
                await known.find("ec-1")

        assert unavailable.value.retry_after_seconds == 1
        assert await known.find("rsa-1")
        assert user_service.readings == [PATH]
        assert events[-1]["event"] == "jwks.unread"
        assert reason in str(events[-1]["reason"])
        assert (events[-1]["failures"], events[-1]["known"]) == (1, ["rsa-1"])

    @pytest.mark.parametrize(
        "answer",
        [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{", b"\0" * 100_000],
    )
    async def test_what_is_no_answer_at_all_is_an_outage_too(self, answer: bytes) -> None:
        async def cut_off(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(cut_off, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            keys = PublishedKeys(KeySetAddress(f"http://127.0.0.1:{port}/"), lifetime=300)
            with pytest.raises(IdentityUnavailable):
                await keys.find("rsa-1")
            await keys.close()

    async def test_certificate_that_nobody_vouches_for_is_one_too(
        self, tmp_path: Path, events: Events
    ) -> None:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        tls = self_signed(tmp_path)
        async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls) as server:
            port = server.sockets[0].getsockname()[1]
            keys = PublishedKeys(KeySetAddress(f"https://127.0.0.1:{port}/"), lifetime=300)
            with pytest.raises(IdentityUnavailable):
                await keys.find("rsa-1")
            await keys.close()

        assert "CERTIFICATE_VERIFY_FAILED" in str(events[-1]["reason"])

    async def test_nobody_listening_is_one_too(self) -> None:
        with listening_socket("127.0.0.1", 0) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        keys = PublishedKeys(KeySetAddress(url), lifetime=300)

        with pytest.raises(IdentityUnavailable):
            await keys.find("rsa-1")

        await keys.close()

    async def test_pauses_grow_to_a_minute_and_nobody_asks_within_them(
        self, keys: PublishedKeys, user_service: UserService, clock: MonotonicClock
    ) -> None:
        user_service.answers(503)
        waits = []

        for _ in range(9):
            for name in ("rsa-1", "ec-1"):
                with pytest.raises(IdentityUnavailable) as unavailable:
                    await keys.find(name)
            waits.append(unavailable.value.retry_after_seconds)
            clock.seconds += waits[-1]

        assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        assert len(user_service.readings) == 9

    async def test_ends_with_the_first_reading(
        self, keys: PublishedKeys, user_service: UserService, clock: MonotonicClock
    ) -> None:
        user_service.answers(503)
        with pytest.raises(IdentityUnavailable):
            await keys.find("rsa-1")
        clock.seconds += 1

        user_service.reset()
        user_service.keys = [RSA]

        assert await keys.find("rsa-1")
        clock.seconds += PAUSE
        assert await keys.find("ec-1") is None

    async def test_of_a_day_leaves_no_key(
        self, known: PublishedKeys, user_service: UserService, clock: MonotonicClock
    ) -> None:
        withdrawn: list[TokenKey] = []
        known.when_withdrawn(withdrawn.extend)
        user_service.answers(503)
        clock.seconds += LONGEST_STALE

        with pytest.raises(IdentityUnavailable):
            await known.find("ec-1")

        assert known.get("rsa-1") is None
        assert [key.key_id for key in withdrawn] == ["rsa-1"]

    async def test_unforeseen_failure_is_told_and_lets_known_keys_go_on(
        self, known: PublishedKeys, events: Events, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fail(_: KeySetAddress) -> None:
            raise RuntimeError("no such thing was thought of")

        monkeypatch.setattr(KeySetAddress, "read", fail)

        with pytest.raises(IdentityUnavailable):
            await known.find("ec-1")

        assert known.get("rsa-1")
        assert [event["event"] for event in events[-2:]] == ["jwks.unforeseen", "jwks.unread"]


class TestFollowed:
    async def test_keys_are_read_at_once_and_again_though_nobody_asks(
        self, user_service: UserService
    ) -> None:
        keys = PublishedKeys(KeySetAddress(user_service.url), lifetime=0.02)
        user_service.keys = [RSA]

        async with keys.followed():
            await until(lambda: asyncio.sleep(0, keys.get("rsa-1")))
            user_service.keys = [EC]
            await until(lambda: asyncio.sleep(0, keys.get("ec-1")))

        assert keys.get("rsa-1") is None
        await keys.close()

    async def test_outage_is_tried_again_sooner_than_the_lifetime_ends(
        self, user_service: UserService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("web.published_keys.SHORTEST_RETRY", 0.02)
        keys = PublishedKeys(KeySetAddress(user_service.url), lifetime=3600)
        user_service.answers(500)

        async with keys.followed():
            await until(lambda: asyncio.sleep(0, len(user_service.readings) > 1))
            user_service.reset()
            user_service.keys = [RSA]
            await until(lambda: asyncio.sleep(0, keys.get("rsa-1")))

        await keys.close()

    async def test_end_does_not_wait_for_an_answer(self, user_service: UserService) -> None:
        keys = PublishedKeys(KeySetAddress(user_service.url), lifetime=300)
        user_service.goes_on.clear()

        async with asyncio.timeout(1):
            async with keys.followed():
                await until(lambda: asyncio.sleep(0, user_service.readings))
            await keys.close()
