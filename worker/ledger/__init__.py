"""The ledger: what becomes of each job, kept in Redis and changed by scripts only."""
