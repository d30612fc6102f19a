"""The technician's YAML: models, and errors that say where and what to do."""
