"""
The OpenAPI 3.1 document of the REST API, made of the route table and its models: nothing of it is kept by hand.

https://spec.openapis.org/oas/v3.1.1.html
"""
