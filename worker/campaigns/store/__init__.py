"""Campaigns in Redis: their plan and the state of each recipient."""
