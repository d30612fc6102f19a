"""Empty registries on both databases, as the registry's own tests have them."""

from __future__ import annotations

from tests.techsquare.registry.conftest import registry, template, template_file, url

__all__ = ["registry", "template", "template_file", "url"]
