"""How ports behave."""

from kubewire.component.grpc.options import ServerOptions


def test_servers_started_together_send_their_clients_away_apart() -> None:
    """The age of connections differs from server to server, by a fifth at most, and can be unlimited."""
    ages = {
        dict(ServerOptions(connection_age_seconds=100).arguments())["grpc.max_connection_age_ms"] for _ in range(50)
    }
    assert len(ages) > 10
    assert min(ages) >= 80_000
    assert max(ages) <= 120_000
    assert "grpc.max_connection_age_ms" not in dict(ServerOptions(connection_age_seconds=0).arguments())


def test_clients_may_ask_for_signs_of_life_as_often_as_they_are_allowed() -> None:
    """gRPC's defaults would cut off clients that ping during a quiet watch; answers have no limit, requests have."""
    arguments = dict(ServerOptions().arguments())
    assert arguments["grpc.http2.min_ping_interval_without_data_ms"] == 5000
    assert arguments["grpc.keepalive_permit_without_calls"] == 1
    assert arguments["grpc.max_send_message_length"] == -1
    assert arguments["grpc.max_receive_message_length"] == 16 << 20
    assert arguments["grpc.so_reuseport"] == 0
