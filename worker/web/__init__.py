"""The web process: webhooks, health and metrics over HTTP."""
