"""Which measures, in which phase, within the means; what depends on what, and why not the others."""
