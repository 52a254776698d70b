"""The API server's core: every verb on every resource, one order of steps for all of them.

`pipeline.py` shows the order; `objects.py` is what the faces call; `builder.py` puts it together. Decisions (what a
delete means, which name, whether a namespace takes new objects) are pure functions beside the verbs that act on them.
"""
