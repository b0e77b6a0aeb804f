"""The tables, with the columns that are shown or asked for, and sessions to read them in."""

import os
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=10)
new_session = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


class BillingAccount(SQLModel, table=True):
    __tablename__ = "billing_accounts"

    user_id: UUID = Field(primary_key=True)


class Payment(SQLModel, table=True):
    __tablename__ = "payments"

    id: UUID = Field(primary_key=True)
    user_id: UUID
    status: str
    description: str | None
    amount: int
    currency: str
    payment_method_id: UUID | None
    created_at: datetime


class PaymentMethod(SQLModel, table=True):
    __tablename__ = "payment_methods"

    id: UUID = Field(primary_key=True)
    user_id: UUID
    brand: str | None
    last4: str | None
    exp_month: int | None
    exp_year: int | None
    is_default: bool
    detached_at: datetime | None
    created_at: datetime


class Refund(SQLModel, table=True):
    __tablename__ = "refunds"

    id: UUID = Field(primary_key=True)
    user_id: UUID
    payment_id: UUID
    status: str
    amount: int
    currency: str
    created_at: datetime
