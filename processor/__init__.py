"""Stripe: the only importer of `stripe`. Commands out, news in."""
