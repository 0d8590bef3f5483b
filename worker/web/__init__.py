"""The web process: receives webhooks, keeps them safe, and shows health and metrics."""
