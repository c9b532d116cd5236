"""Pure rules and types: standard library only, no I/O, no clock."""
