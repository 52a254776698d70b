"""The scheduler: says on which node each pod runs."""
