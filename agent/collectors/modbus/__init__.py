"""Modbus TCP: configuration, read plan, decoding, and the collector that does the I/O."""
