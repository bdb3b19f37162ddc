"""What was measured, for people to read: tables for a terminal and one page for a browser."""
