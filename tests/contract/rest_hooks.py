"""What schemathesis is told beside the OpenAPI document. It loads this file itself, by `hooks` in its configuration."""

import json
from typing import Any, Final
from uuid import uuid4

import schemathesis

from web.rest.openapi.headers import PARAMETERS
from web.rest.reading import CODES, KEY_HEADER

[EXAMPLE_KEY] = PARAMETERS[KEY_HEADER]["schema"]["examples"]
FORM: Final = frozenset({*CODES.values(), "type", "date", "id", "repeated"}) - {"maxLength"}
"""What a request is refused for that does not keep to the document; free-form metadata has a length of its own."""


NO_DEFAULT: Final = {"field": "payment_method_id", "code": "required"}
"""Needed by whoever has no default method."""


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A key of its own for each request: else all but the first would only hear that the key is taken."""
    if case.headers and case.headers.get(KEY_HEADER) == EXAMPLE_KEY:
        case.headers[KEY_HEADER] = f"order-{uuid4()}"


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """To JSON Schema 2500.0 is an integer. Here it is none, since it smells of arithmetic with floats."""
    return without_floats(body)


def without_floats(value: Any) -> Any:
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: without_floats(part) for name, part in value.items()}
        case list():
            return [without_floats(part) for part in value]
        case _:
            return value


@schemathesis.check
def documented_form_is_taken(ctx: Any, response: Any, case: Any) -> None:
    """
    Whatever keeps to the document is refused by rules alone that no schema can tell, such as a currency's minimum.

    So it makes up for the 422 that `positive_data_acceptance` has to let pass.
    """
    if response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    error = json.loads(response.content)["error"]
    unfit = [
        each
        for each in error["details"]
        if error["code"] == "INVALID_INPUT" and each["code"] in FORM and each != NO_DEFAULT
    ]
    assert not unfit, f"The document allows this, and the API does not: {unfit}"
