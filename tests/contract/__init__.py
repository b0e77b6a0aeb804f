"""
schemathesis against the running gateway: `make schemathesis`, and a short form among the tests.

It generates requests from docs/openapi.json and from the GraphQL schema, good and bad ones, and follows the links
between operations. https://schemathesis.readthedocs.io
"""
