"""OpenAPI documents, made on demand from the schema of types and the table of resources, and kept."""
