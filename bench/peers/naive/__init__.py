"""
Strawberry as tutorials put it together: `python -m bench.peers.naive`.

Strawberry's own ASGI application, a BaseHTTPMiddleware that asks python-jose for the token's claims, a SQLModel session
for each resolver and dataloader, and none of Strawberry's caches. It serves the reads only.
"""
