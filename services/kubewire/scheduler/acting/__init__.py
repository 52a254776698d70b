"""Acting on decisions: bindings in batches, conditions and events."""
