"""Criteria: fields, operators, values, and what they mean."""
