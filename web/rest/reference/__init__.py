"""The REST reference: Swagger UI over the OpenAPI document, built and shipped with the package."""
