"""The ledger's client: accept, read, cancel and wait."""
