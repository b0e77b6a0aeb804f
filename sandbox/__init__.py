"""
A Stripe-compatible server of our own, for development and tests.

It is spoken to by the real Stripe client over HTTP, so that development, tests and production share one code
path. It stands alone: it imports nothing of the gateway, and not `stripe` either.
"""

from sandbox.server import Sandbox
from sandbox.settings import SandboxSettings, WebhookTarget

__all__ = ["Sandbox", "SandboxSettings", "WebhookTarget"]
