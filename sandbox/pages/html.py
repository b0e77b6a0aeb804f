"""HTML without outside help: one style in the page, allowed by its nonce, and a strict policy."""

import secrets
from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 3rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.4rem; }
button { font: inherit; padding: .6rem 1.6rem; margin-right: .8rem; border-radius: .4rem; border: 1px solid #888; }
button[value=complete] { background: #1a6b4a; color: #fff; border-color: #1a6b4a; }
code { font-size: .9em; }
table { border-collapse: collapse; }
td { padding: .15rem 1rem .15rem 0; vertical-align: top; }
"""


def document(title: str, body: str, *, status: int = 200, form_leads_to: str | None = None) -> HTMLResponse:
    """A page; `body` is trusted markup. A form may only post here and, by redirect, to `form_leads_to`."""
    nonce = secrets.token_urlsafe(16)
    forms = "'self'" if form_leads_to is None else f"'self' {origin(form_leads_to)}"
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {forms};"
        " base-uri 'none'; frame-ancestors 'none'"
    )
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style nonce="{nonce}">{STYLE}</style></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(html, status, headers)


def origin(url: str) -> str:
    """What a content security policy calls an address: its origin or, of a deep link into an app, its scheme."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"
