"""The REST face: Kubernetes' HTTP API over the core that both faces share.

A request becomes a Call and options, the core answers, `apiserver.encoding` makes the bytes. What is here is HTTP:
paths and queries, bodies and media types, discovery, OpenAPI, streams, and as little work per request as possible.
"""
