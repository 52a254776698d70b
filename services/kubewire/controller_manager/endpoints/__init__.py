"""Endpoints: the older form of what EndpointSlices tell, one object a Service, for clients that still read it."""
