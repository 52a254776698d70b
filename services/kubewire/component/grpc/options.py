"""How gRPC ports behave: message sizes, keepalive, and how long a connection lives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

ChannelArguments = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Limits of one port."""

    receive_bytes: int = 16 << 20
    """Largest request: a batch of a thousand ordinary objects. gRPC's default of 4 MiB holds a few hundred."""

    keepalive_seconds: float = 30.0
    """A connection without traffic is asked for a sign of life this often, so that watchers on dead machines go."""

    keepalive_timeout_seconds: float = 20.0
    """A connection that gives none for this long is closed."""

    client_ping_seconds: float = 5.0
    """Clients may ask for signs of life this often, watches open or not; gRPC's default cuts those off that ask more
    often than every 5 minutes."""

    connection_age_seconds: float = 3600.0
    """After this long, a fifth more or less, a client is asked to connect anew, which spreads clients over servers
    again after one was restarted. 0: never."""

    connection_age_grace_seconds: float = 600.0
    """Calls that are open then, such as watches, may go on this long before they end with UNAVAILABLE."""

    def arguments(self) -> ChannelArguments:
        """As grpcio takes them."""
        arguments = [
            ("grpc.max_receive_message_length", self.receive_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.keepalive_time_ms", _milliseconds(self.keepalive_seconds)),
            ("grpc.keepalive_timeout_ms", _milliseconds(self.keepalive_timeout_seconds)),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.http2.min_ping_interval_without_data_ms", _milliseconds(self.client_ping_seconds)),
            # A port that is taken must fail the start, not share its connections with whoever holds it.
            ("grpc.so_reuseport", 0),
        ]
        if self.connection_age_seconds:
            # Servers started together must not send all their clients away together.
            age = self.connection_age_seconds * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, hides nothing
            arguments += [
                ("grpc.max_connection_age_ms", _milliseconds(age)),
                ("grpc.max_connection_age_grace_ms", _milliseconds(self.connection_age_grace_seconds)),
            ]
        return arguments


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
