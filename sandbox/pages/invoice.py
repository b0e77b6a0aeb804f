"""The pages behind an invoice's `hosted_invoice_url` and `invoice_pdf`; their token makes them unguessable."""

import hmac
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.currencies import spoken
from sandbox.pages.html import document
from sandbox.pages.pdf import one_page
from sandbox.state.objects import Objects, StripeObject


def routes(objects: Objects) -> list[Route]:
    async def show(request: Request) -> Response:
        invoice = _asked_for(objects, request)
        if invoice is None:
            return document("Not found", "<p>There is no such invoice.</p>", status=404)
        rows = "".join(
            f"<tr><td>{escape(text)}</td><td>{escape(sum_)}</td></tr>" for text, sum_ in _rows(invoice)
        )
        pdf = f'<p><a href="{escape(invoice["invoice_pdf"])}">PDF</a></p>'
        return document(_title(invoice), f"<table>{rows}</table>{pdf}")

    async def download(request: Request) -> Response:
        invoice = _asked_for(objects, request)
        if invoice is None:
            return document("Not found", "<p>There is no such invoice.</p>", status=404)
        lines = [_title(invoice), *(f"{text}: {sum_}" for text, sum_ in _rows(invoice))]
        name = f"attachment; filename=invoice-{invoice['number']}.pdf"
        return Response(one_page(lines), media_type="application/pdf", headers={"Content-Disposition": name})

    path = "/invoices/{invoice}/{token}"
    return [Route(path, show), Route(f"{path}/pdf", download)]


def _asked_for(objects: Objects, request: Request) -> StripeObject | None:
    invoice = objects.find("invoice", request.path_params["invoice"])
    if invoice is None or "_token" not in invoice:
        return None
    is_right = hmac.compare_digest(invoice["_token"].encode(), request.path_params["token"].encode())
    return invoice if is_right else None


def _title(invoice: StripeObject) -> str:
    return f"Invoice {invoice['number']}"


def _rows(invoice: StripeObject) -> list[tuple[str, str]]:
    currency = invoice["currency"]
    amounts = {"Total": "total", "Amount due": "amount_due", "Paid": "amount_paid"}
    return [
        ("Status", invoice["status"]),
        *((line["description"], spoken(line["amount"], currency)) for line in invoice["lines"]["data"]),
        *((name, spoken(invoice[field], currency)) for name, field in amounts.items()),
    ]
