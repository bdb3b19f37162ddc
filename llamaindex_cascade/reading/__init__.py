"""What models answered, read from wherever an integration put it."""
