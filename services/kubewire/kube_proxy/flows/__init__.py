"""Connections without an end: those that go where they should no more are forgotten."""
