"""Telemetry: logs and error reports, without keys, numbers and payloads."""
