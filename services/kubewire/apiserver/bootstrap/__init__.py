"""Objects that every cluster has before anybody creates one: `objects` says which, `creator` makes those missing."""
