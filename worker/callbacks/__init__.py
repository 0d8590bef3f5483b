"""Callbacks: messages to the applications that asked for them."""
