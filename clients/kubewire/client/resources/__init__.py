"""Typed calls on resources: `resource_client` has the verbs, `kinds` says how a kind is reached and read.

Watches that go on by themselves when their stream breaks are in `following`.
"""
