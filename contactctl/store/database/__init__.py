"""The database itself: connections, locks, schema, copies."""
