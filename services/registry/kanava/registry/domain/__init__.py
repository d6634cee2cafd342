"""The rules of the registry: pure functions over frozen records, one noun per file."""
