"""Service accounts: every namespace has the one that pods run as unless they say otherwise."""
