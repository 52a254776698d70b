"""Taints with NoExecute: pods that do not tolerate them have to leave."""
