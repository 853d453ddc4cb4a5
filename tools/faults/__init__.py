"""Real runs that are killed at any moment, or whose disk is full, and must end with the bytes of one left alone."""
