"""Events: what components tell people about objects. `correlator` decides, `recorder` writes."""
