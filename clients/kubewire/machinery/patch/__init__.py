"""Patches: JSON patch (RFC 6902), JSON merge patch (RFC 7386), and Kubernetes' strategic merge patch.

All work on objects in JSON form, leave what they are given unchanged, and fail with the StatusError that a
Kubernetes server answers.
"""
