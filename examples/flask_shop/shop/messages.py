"""The messages of the shop, and the task that receives the end of each."""

from celery import shared_task
from sqlalchemy import update

from interakt_jobs import Job, send_template

from .database import Order, Session


def confirm(order: Order) -> Job:
    """Confirm an order, once however often this is called: the job's id is the order's."""
    template = {"name": "welcome_message", "languageCode": "en", "bodyValues": [order.name]}
    payload = {"countryCode": "+91", "phoneNumber": order.phone, "template": template}
    return send_template.delay(
        payload, task_id=order.job, on_done="shop.message_ended", on_done_queue="flask_shop"
    )


@shared_task(name="shop.message_ended")
def message_ended(job_id: str, event: str, state: str, **more: object) -> None:
    """A message has ended, or its end was corrected: ``state`` is done, dead or cancelled. May be called twice."""
    with Session.begin() as session:
        session.execute(update(Order).where(Order.job == job_id).values(message_state=state))
