"""What should be programmed: a pure function of Services and EndpointSlices."""
