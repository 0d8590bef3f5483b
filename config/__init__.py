"""Settings from the environment, and Celery's options."""
