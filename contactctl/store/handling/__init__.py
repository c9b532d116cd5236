"""What handling rules are due, and the runs that carry them out."""
