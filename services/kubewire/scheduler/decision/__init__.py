"""The decision: from a snapshot and a pod to a node, or to the reasons why there is none. Pure."""
