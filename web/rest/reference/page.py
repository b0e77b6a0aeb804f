"""What the REST reference page is made of, and what it may do."""

from pathlib import Path
from typing import Final

from web.rest.route import BASE

REFERENCE: Final = f"{BASE}/docs"
"""Where the page is; the built files name it, and their own addresses below it."""

STATIC: Final = Path(__file__).parent / "static"

CONTENT_SECURITY_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Swagger UI's style sheet holds its icons.
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'none'",
    )
)
"""All that the page needs: it asks nothing of another host."""
