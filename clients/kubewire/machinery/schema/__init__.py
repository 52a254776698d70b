"""What each type of the API looks like: which lists and maps merge by what, what is required, which values exist.

Server-side apply, field ownership, strategic merge patches and the OpenAPI documents are driven by it.
"""
