"""EndpointSlices: at which addresses a Service's pods answer, in parts small enough to be sent around."""
