"""What SPDY connections fail with.

SpdyError       the peer does not keep to the protocol, or is gone: the connection cannot go on
"""


class SpdyError(Exception):
    """The connection cannot go on."""
