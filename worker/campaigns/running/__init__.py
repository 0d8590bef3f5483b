"""Running campaigns: enqueued, paused, resumed, repeated, observed."""
