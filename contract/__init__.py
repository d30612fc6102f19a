"""What crosses the wire: topics, payloads, JSON Schemas. Everyone imports it; it imports no one."""
