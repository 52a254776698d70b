"""The client runtime: what every component, and everyone who builds on the API, stands on.

From the wire up: `transport` carries bytes to an API server, in another process or in this one; `resources` makes typed
calls of it; `informer` keeps caches up to date by watching; `workqueue` holds the keys that are to be looked at;
`controller` joins the two into a reconcile loop; `leader_election` lets one of many act; `events` tells people what
happened; `testing` has virtual time and a simulated cluster.
"""
