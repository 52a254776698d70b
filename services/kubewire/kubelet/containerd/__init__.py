"""containerd's own API beside CRI: processes in running containers with half-closable input, and events at once."""
