"""Webhooks: received, kept safe, read and acted on."""
