"""Recordings of the field played against the real collectors: `tsq-agent replay`, and tests made of them."""
