"""Whose token it is: from the text of a bearer token to an Actor."""

import math
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Final

import structlog
from prometheus_client import Counter
from structlog.typing import FilteringBoundLogger

from domain.actor import Actor
from domain.errors import IdentityUnavailable, Unauthenticated
from domain.ports import Clock
from web.clock import system_clock
from web.published_keys import PublishedKeys
from web.token_keys import HS256, TokenKey
from web.tokens import (
    Expected,
    TokenExpired,
    TokenHeader,
    TokenRefused,
    VerifiedToken,
    claims_of,
    header_of,
    verified_token,
)

REMEMBERED_TOKENS: Final = 1000

REFUSED: Final = Counter(
    "payments_tokens_refused",
    "Bearer tokens that were not accepted; `unavailable` is that no key could be had to tell.",
    ["reason"],
)
EXPIRED, INVALID, UNAVAILABLE = (REFUSED.labels(reason) for reason in ("expired", "invalid", "unavailable"))

log: FilteringBoundLogger = structlog.get_logger()


class ExpiredToken(Unauthenticated):
    """It was genuine once, so whoever brings it guesses nothing."""


class TokenVerifier:
    """
    Tokens of one issuer, signed under secrets that it shares with us, under keys that it publishes, or either.

    Tokens that were verified are remembered until they expire or their key is withdrawn, since clients send the
    same one again and again.
    """

    def __init__(
        self,
        *,
        secrets: Sequence[TokenKey] = (),
        published: PublishedKeys | None = None,
        expected: Expected | None = None,
        clock: Clock = system_clock,
        remembered: int = REMEMBERED_TOKENS,
    ) -> None:
        self._secrets = secrets
        self._published = published
        self._expected = expected or Expected()
        self._clock = clock
        self._remembered = RecentTokens(remembered)
        self._told_until = -math.inf
        if published is not None:
            published.when_withdrawn(self._remembered.forget)

    async def verify(self, token: str) -> Actor:
        """The bearer of a genuine token; raises Unauthenticated, or IdentityUnavailable where no key can be had."""
        try:
            known = self._remembered.get(token) or await self._verified(token)
            known.must_not_have_expired(now=self._clock().timestamp())
        except TokenExpired as expired:
            EXPIRED.inc()
            raise ExpiredToken("The bearer token has expired.") from expired
        except TokenRefused as refused:
            INVALID.inc()
            log.warning("token.refused", reason=str(refused))
            raise Unauthenticated("The bearer token is not valid.") from refused
        except IdentityUnavailable as away:
            UNAVAILABLE.inc()
            self._tell_away(for_seconds=away.retry_after_seconds)
            raise
        return known.actor

    def remembers(self, token: str) -> bool:
        """Whether it was verified before, and holds still."""
        known = self._remembered.get(token)
        return known is not None and not known.has_expired(now=self._clock().timestamp())

    def _tell_away(self, *, for_seconds: int) -> None:
        """Once in so long, whoever asks meanwhile."""
        now = self._clock().timestamp()
        if now >= self._told_until:
            self._told_until = now + for_seconds
            log.warning("token.unverifiable", for_seconds=for_seconds)

    async def _verified(self, token: str) -> VerifiedToken:
        """The last step waits for nothing, so that no key is withdrawn between its word and its being remembered."""
        candidates = await self._candidates(header_of(token))
        for key in candidates:
            payload = key.payload(token)
            if payload is not None:
                verified = verified_token(
                    claims_of(payload), key, self._expected, now=self._clock().timestamp()
                )
                self._remembered.add(token, verified)
                return verified
        raise TokenRefused("the signature does not match")

    async def _candidates(self, header: TokenHeader) -> Sequence[TokenKey]:
        """
        The keys that may have signed it. Each insists on its own algorithm, so the header's only narrows the choice.

        A published name always means that key. Otherwise HS256 means a secret, and only a token that could be signed
        by a published key makes us look for one.
        """
        published = self._published.get(header.key_id) if self._published else None
        if published is None and header.algorithm == HS256:
            return self._shared()
        return (published or await self._found(header.key_id),)

    def _shared(self) -> Sequence[TokenKey]:
        if not self._secrets:
            raise TokenRefused("no secret is shared")
        return self._secrets

    async def _found(self, key_id: str | None) -> TokenKey:
        if self._published is None:
            raise TokenRefused("no keys are published")
        if key_id is None:
            raise TokenRefused("kid is missing")
        found = await self._published.find(key_id)
        if found is None:
            raise TokenRefused("no such key is published")
        return found


class RecentTokens:
    """The last tokens that were verified; the one unused for longest makes room. For one thread."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._tokens: OrderedDict[str, VerifiedToken] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tokens)

    def get(self, token: str) -> VerifiedToken | None:
        known = self._tokens.get(token)
        if known is not None:
            self._tokens.move_to_end(token)
        return known

    def add(self, token: str, verified: VerifiedToken) -> None:
        self._tokens[token] = verified
        if len(self._tokens) > self._capacity:
            self._tokens.popitem(last=False)

    def forget(self, withdrawn: Collection[TokenKey]) -> None:
        """All tokens that these keys have signed."""
        kept = ((token, known) for token, known in self._tokens.items() if known.key not in withdrawn)
        self._tokens = OrderedDict(kept)
