"""What a caller configures: read, checked and put together once."""
