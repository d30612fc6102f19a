"""The import of tag lists."""
