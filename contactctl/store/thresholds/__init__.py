"""Who has reached a threshold, and the runs that deactivate them."""
