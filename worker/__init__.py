"""How it is done: the worker's delivery, ledger, budget, pacer, campaigns, webhooks and command line."""
