"""
The REST API that callers had before GraphQL: the same services, and the answers that they know.

Every endpoint is a row of `web.rest.table.ROUTES`. The row says all there is to say about it (method, path, who may,
the models of what goes in and comes out, the errors); `web.rest.endpoint` does what they have in common.
"""
