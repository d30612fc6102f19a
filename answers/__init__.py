"""The mentor's inputs: what people say of a factory, by file or by signed message, joined with the configuration."""
