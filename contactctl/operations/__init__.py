"""What the program does: each operation takes a store and returns a result."""
