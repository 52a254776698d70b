"""What nodes may do: read what their own pods refer to, and write about themselves and those pods."""
