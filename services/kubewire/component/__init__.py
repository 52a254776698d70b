"""What every component is built from: life cycle, configuration, logs, metrics, health, certificates, gRPC services."""
