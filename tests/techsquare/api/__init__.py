"""The API over HTTP, and its use cases from end to end."""
