"""contactctl: find, preview and safely deactivate marketing contacts."""

__version__ = "0.1.0"
