"""Results -> table, json, jsonl or csv; the only place that formats."""
