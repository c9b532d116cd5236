"""The builder's screens, in the order in which they are met."""
