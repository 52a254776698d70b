"""Calls that carry streams of bytes to and from the node a pod runs on: logs, exec, attach and port-forward."""
