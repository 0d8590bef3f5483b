"""Measures: this worker beside everything a user could pick instead, on the same job and machine."""
