"""For tests of what is built on the client: virtual time, a simulated cluster, the detector of changed caches."""
