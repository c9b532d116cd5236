"""Settings: search path, strict YAML, and where each value came from."""
