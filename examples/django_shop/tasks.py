"""The shop's own tasks, in a module that has the name of one of the worker's packages."""

from celery import shared_task
from shop.messages import confirm
from shop.models import Order


@shared_task(name="tasks.message_ended")
def message_ended(job_id: str, event: str, state: str, **more: object) -> None:
    """A message has ended, or its end was corrected: ``state`` is done, dead or cancelled. May be called twice."""
    Order.objects.filter(job=job_id).update(message_state=state)


@shared_task(name="tasks.catch_up")
def catch_up() -> int:
    """Enqueue messages that were missed because Redis was away or the process died after its commit; for beat.

    It also enqueues orders whose message has not ended yet, which changes nothing.
    """
    missed = Order.objects.filter(message_state="")
    for order in missed:
        confirm(order)
    return len(missed)
