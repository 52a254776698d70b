"""Who is calling (`authentication`, from tokens and certificates) and what they may do (`authorization`).

Both are ordered lists of small judges, asked in turn until one has an opinion; the lists stand where the API server
is put together. Nothing here does I/O: token files and certificates come in as text.
"""
