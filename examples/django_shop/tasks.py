"""The shop's own tasks, in a module that has the name of one of the worker's packages."""

from celery import shared_task
from shop.messages import confirm
from shop.models import Order


@shared_task(name="tasks.message_ended")
def message_ended(job_id: str, event: str, state: str, **more: object) -> None:
    """A message came to its end, or that is corrected: ``state`` is done, dead or cancelled. May be told twice."""
    Order.objects.filter(job=job_id).update(told=state)


@shared_task(name="tasks.catch_up")
def catch_up() -> int:
    """Enqueue what was not, as Redis was away or the process died after its commit; for beat.

    An order that only waits for its message's end is enqueued again too, which changes nothing.
    """
    missed = Order.objects.filter(told="")
    for order in missed:
        confirm(order)
    return len(missed)
