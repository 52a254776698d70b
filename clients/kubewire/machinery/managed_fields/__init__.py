"""Which manager owns which field of an object (`metadata.managedFields`), kept on every write.

The rules are those of Kubernetes' server-side apply (KEP-555): an update takes the fields it changed, an apply
those it mentions, and an apply that would take a field from somebody else conflicts.
"""
