"""Celery's options, each with its reason. Read when the app is first used, never at import of the tasks."""

from __future__ import annotations

import os

from kombu.entity import Exchange, Queue

broker_url = os.environ.get("REDIS_URL", "").strip() or "redis://127.0.0.1:6379/0"
broker_transport_options = {
    "global_keyprefix": "{ij1:celery}:",  # one place to look at, and to empty
    "ack_emulation": False,  # wake-ups are disposable: the ledger repairs a lost one, so no `unacked` and no timeout
    "socket_timeout": 10,  # the default waits for ever on a frozen Redis; must stay above BRPOP's second
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    "health_check_interval": 10,  # finds a half-open BRPOP
    "retry_on_timeout": False,
    "client_name": "interakt-worker",
}
broker_connection_retry_on_startup = True
broker_channel_error_retry = True  # READONLY and its like: without it the worker exits
broker_connection_max_retries = None  # the default gives up after 100 tries and the worker exits
broker_pool_acquire_timeout = 5
broker_heartbeat = 0

result_backend = "interakt_jobs.backend:LedgerBackend"  # reads the ledger; nothing is stored twice
task_ignore_result = True

accept_content = ["json"]
task_serializer = "json"
result_serializer = "json"
task_protocol = 2
task_create_missing_queues = False  # a mistyped queue must fail, not become a list that nobody reads
# An exchange each: in a shared one, a message by exchange and routing key would go to all four.
task_queues = [
    Queue(name, Exchange(name), routing_key=name) for name in ("urgent", "normal", "bulk", "intake")
]
task_default_queue = "intake"
task_acks_late = False
task_publish_retry_policy = {
    "max_retries": 2,
    "interval_start": 0.1,
    "interval_step": 0.2,
    "interval_max": 0.5,
}
worker_disable_rate_limits = True  # Celery's is per worker; the budget is per account

worker_prefetch_multiplier = 1
worker_eta_task_limit = 100  # waits live in the ledger; this only bounds what a stranger publishes
worker_cancel_long_running_tasks_on_connection_loss = False  # a blip must not make sends unknown
worker_hijack_root_logger = False
worker_redirect_stdouts = False
worker_proc_alive_timeout = 15
worker_enable_remote_control = False  # nothing needs it; with it, whoever may write to Redis ends workers
timezone = "UTC"
beat_max_loop_interval = 1  # so soon is a schedule seen that was made or changed meanwhile

redbeat_redis_options = {
    "retry_period": -1,  # at the start it waits for Redis; later worker.beat does
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "client_name": "interakt-beat",
}
redbeat_key_prefix = "{ij1:beat}:"
redbeat_lock_timeout = (
    10  # a standby takes over after so long; two active ones would still make one job a slot
)
