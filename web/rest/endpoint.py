"""What all endpoints have in common: who asks, what is asked, one call, and the shape of the answer."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from domain.actor import Actor
from domain.errors import DomainError
from gql.attempts import ASK_A_BANK
from gql.context import Context, Services
from web.auth import Authentication
from web.rates.limits import RateLimits
from web.rest.call import Answer, Call, Refused
from web.rest.problems import problem, refusal
from web.rest.reading import KEY_HEADER, asked_id, asked_key, read_body, read_query
from web.rest.route import NoMeta, RestRoute

NO_META: Final = NoMeta()


class Endpoint:
    """One row of the table, at work."""

    def __init__(
        self, route: RestRoute, authentication: Authentication, services: Services, limits: RateLimits
    ) -> None:
        self.route = route
        self._authentication, self._services, self._limits = authentication, services, limits

    async def answer(self, request: Request) -> Response:
        actor = await self._authentication.actor(request.scope)
        await self._limits.admit(actor)
        response = await self._answer_to(request, actor)
        if key := getattr(request.state, "idempotency_key", None):
            response.headers[KEY_HEADER] = key
        return response

    async def _answer_to(self, request: Request, actor: Actor) -> Response:
        try:
            actor.must_be(self.route.who.value)
            call = await self._call(request, Context(actor=actor, services=self._services))
            await self._charge(actor)
            answer = await self.route.handle(call)
        except Refused as refused:
            return refusal(refused, request, self.route, actor)
        except DomainError as error:
            return problem(error, request, self.route, actor)
        return answer if isinstance(answer, Response) else self._rendered(answer)

    async def _call(self, request: Request, context: Context) -> Call[Any, Any]:
        """An id that is none is told first: nothing else can be right about such an address."""
        route = self.route
        identity = asked_id(request, route)
        if route.takes_key:
            request.state.idempotency_key = asked_key(request.headers)
        return Call(
            context=context,
            identity=identity,
            key=getattr(request.state, "idempotency_key", None),
            query=read_query(request, route.query),
            body=None if route.body is None else await read_body(request, route.body),
            known_tag=request.headers.get("if-none-match"),
        )

    async def _charge(self, actor: Actor) -> None:
        """What is refused anyway costs nothing. Raises RateLimited."""
        asks_bank = not ASK_A_BANK.isdisjoint(self.route.graphql)
        await self._limits.charge(actor, is_mutation=self.route.takes_key, payments=int(asks_bank))

    def _rendered(self, answer: Answer) -> Response:
        """By the model that the table names, so that nothing is answered which it does not."""
        reply = self.route.replies[answer.status]
        if reply.model is None:
            return Response(status_code=answer.status, headers=answer.headers)
        body = reply.model(data=answer.data, meta=answer.meta or NO_META)
        return Response(body.model_dump_json(), answer.status, answer.headers, reply.media_type)
