"""What every gRPC port of every component has: errors with details, health, reflection, limits and keepalive."""
