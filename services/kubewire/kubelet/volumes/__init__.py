"""Volumes of pods: what they hold, where it lies on disk, and the ConfigMaps, Secrets and tokens it comes from."""
