"""What runs containers: one protocol, CRI and a simulation behind it, and what was last seen of it."""
