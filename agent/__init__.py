"""The edge agent: reads PLCs, keeps every sample, delivers it, and turns it into readiness evidence."""
