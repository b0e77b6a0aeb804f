"""A link to the processor's own pages, where a customer looks after cards, invoices and subscriptions."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalLink:
    """Never stored: whoever holds it is the customer until it expires."""

    url: str = field(repr=False)
    expires_at: datetime
