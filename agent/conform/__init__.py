"""A conformance kit: a platform that asks an agent of whatever make, and looks whether it keeps to the wire."""
