"""Variables of containers: what their specs, ConfigMaps, Secrets, pods and Services make of them."""
