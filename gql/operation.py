"""Operations: what became of a use of an idempotency key."""

from datetime import datetime
from typing import ClassVar

import strawberry

from domain.command_service import Executed
from domain.commands.catalogue import COMMANDS
from domain.errors import InvalidInput
from domain.operation import Operation, OperationState, checked_key
from gql.context import Info
from gql.errors import UserError, user_error
from gql.ids import global_id
from gql.needs import needs
from gql.node import Node, optional_view
from gql.scalars import IdempotencyKey

strawberry.enum(OperationState, description="How far an operation has come.")


def executed_id(executed: strawberry.Parent[Executed]) -> strawberry.ID:
    return global_id(Operation, executed.operation.id)


@strawberry.type(
    name="Operation",
    description="One use of an idempotency key, kept for 30 days. Its caller, support and admins may see it.",
)
class OperationView(Node):
    _domain: ClassVar[type] = Executed

    id: strawberry.ID = strawberry.field(resolver=executed_id, description="Opaque and stable.")

    @strawberry.field(description="The mutation's name.")
    def mutation(executed: strawberry.Parent[Executed]) -> str:
        return executed.operation.mutation

    @strawberry.field(description="The key; made by us where you gave none.")
    def idempotency_key(executed: strawberry.Parent[Executed]) -> IdempotencyKey:
        return IdempotencyKey(executed.operation.key)

    @strawberry.field(
        description="How far it has come. OUTCOME_UNKNOWN is settled by us, without a request of yours."
    )
    def state(executed: strawberry.Parent[Executed]) -> OperationState:
        return executed.operation.state

    @strawberry.field(description="Whether an earlier request with the same key did the work.")
    def replayed(executed: strawberry.Parent[Executed]) -> bool:
        return executed.is_replayed

    @strawberry.field(description="What it made or changed, as it is now.")
    @needs(whole=(Operation,))
    async def resource(executed: strawberry.Parent[Executed], info: Info) -> Node | None:
        operation = executed.operation
        if operation.object_id is None:
            return None
        lookup = info.context.loaders.recorded(operation.object_kind)
        return optional_view(Node, await lookup.load(operation.object_id))

    @strawberry.field(description="Why it did not succeed.")
    @needs(whole=(Operation,))
    def errors(executed: strawberry.Parent[Executed], info: Info) -> list[UserError]:
        verdict = executed.operation.verdict
        return [] if verdict is None else [user_error(verdict, info.context.actor)]

    @strawberry.field(description="The first request's id, for support.")
    def request_id(executed: strawberry.Parent[Executed]) -> str:
        return executed.operation.request_id

    @strawberry.field(description="When it started.")
    def started_at(executed: strawberry.Parent[Executed]) -> datetime:
        return executed.operation.started_at

    @strawberry.field(description="When it ended; null while it has not.")
    def finished_at(executed: strawberry.Parent[Executed]) -> datetime | None:
        return executed.operation.finished_at

    @strawberry.field(description="When the key is forgotten.")
    def expires_at(executed: strawberry.Parent[Executed]) -> datetime:
        return executed.operation.expires_at


async def find_operation(info: Info, mutation: str, idempotency_key: IdempotencyKey) -> OperationView | None:
    caller = info.context.actor.known_id
    if mutation not in COMMANDS:
        raise InvalidInput("There is no such mutation.", path=("mutation",), constraint="oneOf")
    async with info.context.services.database.reads() as reads:
        operation = await reads.operations.find(caller, mutation, checked_key(idempotency_key))
    return operation_view(operation)


def operation_view(operation: Operation | None) -> OperationView | None:
    return optional_view(OperationView, Executed(operation=operation) if operation else None)
