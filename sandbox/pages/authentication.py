"""The page of the cardholder's bank: authenticate, or fail to, and go back to where the payment was."""

import hmac
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.api import forms
from sandbox.api.endpoint import Call
from sandbox.api.service import Service
from sandbox.billing import collection, outcomes
from sandbox.currencies import spoken
from sandbox.pages.html import document
from sandbox.resources import payment_attempts, setup_intents
from sandbox.state.objects import StripeObject

FORM = """
<p>This stands in for the page of a cardholder's bank. Nothing real happens here.</p>
<p>{what}</p>
<form method="post">
<button name="outcome" value="complete">Complete</button>
<button name="outcome" value="fail">Fail</button>
</form>
"""
CLOSE = "<p>The answer was recorded; you can close this page.</p>"
KINDS = {"pi": "payment_intent", "seti": "setup_intent"}


def routes(service: Service) -> list[Route]:
    async def show(request: Request) -> Response:
        intent = _intent(service, request)
        if intent is None:
            return document("Not found", "<p>There is no such authentication.</p>", status=404)
        if intent["status"] != "requires_action":
            return document("Already answered", CLOSE)
        leads_to = intent["_authentication"]["return_url"]
        return document("3-D Secure test page", FORM.format(what=_what(intent)), form_leads_to=leads_to)

    async def answer(request: Request) -> Response:
        intent = _intent(service, request)
        outcome = forms.decode((await request.body()).decode("latin-1")).get("outcome")
        if intent is None or intent["status"] != "requires_action" or outcome not in ("complete", "fail"):
            return await show(request)
        answered = service.transact(
            lambda call: _authenticate(call, outcome == "complete"),
            intent["id"],
            base_url=service.settings.public_url or str(request.base_url).rstrip("/"),
        )
        return _back(answered)

    path = "/3ds/{intent}/{token}"
    return [Route(path, show, methods=["GET"]), Route(path, answer, methods=["POST"])]


def _intent(service: Service, request: Request) -> StripeObject | None:
    """The intent of a page's address, if the token in it is the one of the latest question."""
    id_ = request.path_params["intent"]
    found = service.objects.find(KINDS.get(id_.partition("_")[0], ""), id_)
    if found is None or "_authentication" not in found:
        return None
    token = found["_authentication"]["token"].encode()
    return found if hmac.compare_digest(token, request.path_params["token"].encode()) else None


def _authenticate(call: Call, succeeded: bool) -> StripeObject:
    kind = KINDS[call.path_ids[0].partition("_")[0]]
    intent = call.target(kind)
    if kind == "setup_intent":
        answered = setup_intents.authenticate(call, intent, succeeded=succeeded)
        outcomes.set_up(call, answered)
        return answered
    answered = payment_attempts.authenticate(call, intent, succeeded=succeeded)
    collection.follow_up(call, answered)
    return answered


def _what(intent: StripeObject) -> str:
    if intent["object"] == "setup_intent":
        return "A card is to be saved for later payments."
    return f"A payment of <strong>{spoken(intent['amount'], intent['currency'])}</strong> is to be made."


def _back(intent: StripeObject) -> Response:
    return_url = intent["_authentication"]["return_url"]
    if return_url is None:
        return document("Thank you", CLOSE)
    return RedirectResponse(_with_result(return_url, intent), status_code=303)


def _with_result(return_url: str, intent: StripeObject) -> str:
    """The return address with the three parameters that Stripe adds to its query."""
    kind = intent["object"]
    has_failed = intent["status"] == "requires_payment_method"
    result = urlencode(
        {
            kind: intent["id"],
            f"{kind}_client_secret": intent["client_secret"],
            "redirect_status": "failed" if has_failed else "succeeded",
        }
    )
    parts = urlsplit(return_url)
    return urlunsplit(parts._replace(query=f"{parts.query}&{result}" if parts.query else result))
