"""What a configuration file is made of: YAML with lines, strict models, errors that say where and what to do."""
