"""Complaints from the field about other collectors: one test each, against a server that misbehaves that way."""
