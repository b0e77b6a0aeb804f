"""Every endpoint."""

from typing import Final

from web.rest.payments import PAYMENT_ROUTES
from web.rest.route import RestRoute

ROUTES: Final[tuple[RestRoute, ...]] = (*PAYMENT_ROUTES,)
