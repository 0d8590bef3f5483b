"""Interakt: all that knows its API, its answers and its errors."""
