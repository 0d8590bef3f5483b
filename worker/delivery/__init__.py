"""Delivery: one job from its wake-up to its outcome."""
