"""The gateway: pure parts alone, the service against a real broker."""
