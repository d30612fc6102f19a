"""Sparkplug B 3.0: the signals for a SCADA system inside the factory. An optional output, off unless configured."""
