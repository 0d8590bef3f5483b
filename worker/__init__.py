"""The worker: what starts a process, and the folders of what it does."""
