"""The Sparkplug output."""
