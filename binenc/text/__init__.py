"""What the records say, in words and tables."""
