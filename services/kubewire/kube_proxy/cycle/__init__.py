"""The loop that brings what is programmed to what is desired, and keeps it there."""
