"""Where rules are programmed: one contract, several ways."""
