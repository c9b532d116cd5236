"""Mail and provider payloads -> Iterator of events; no database."""
