"""One folder a protocol: plan and decode are pure, the collector does the I/O."""
