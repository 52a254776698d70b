"""What load balancers and probes ask for over HTTP."""
