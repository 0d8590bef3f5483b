"""Campaigns: one template to many recipients, planned once, each outcome kept (docs/campaigns.md)."""
