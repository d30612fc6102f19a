"""What is raised for a configuration that cannot be used."""

from __future__ import annotations


class ConfigError(Exception):
    """The configuration cannot be used: exit 78. The text holds every complaint, one a line."""
