"""Schedules: what runs when, each slot once, whatever beats are alive (docs/schedules.md)."""
