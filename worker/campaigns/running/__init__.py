"""Running campaigns: fed, paused, resumed, repeated, observed."""
