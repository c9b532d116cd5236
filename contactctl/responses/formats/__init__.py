"""Formats of providers and of senders of one's own: each a mapping in YAML, read by one engine.

mapping.py compiles a mapping to closures; envelopes.py opens what stands around a document;
registry.py names the built-in formats.
"""
