"""The catalogue: shipped files, mistakes in them, what a factory is offered."""
