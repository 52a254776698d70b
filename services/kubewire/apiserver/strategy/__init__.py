"""What is particular about writing each kind: what a write may set, and which fields the server owns."""
