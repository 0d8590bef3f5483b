"""The messages of the shop."""

from interakt_jobs import Job, send_template

from .models import Order


def confirm(order: Order) -> Job:
    """Confirm an order, once however often this is called: the job's id is the order's."""
    template = {"name": "welcome_message", "languageCode": "en", "bodyValues": [order.name]}
    payload = {"countryCode": "+91", "phoneNumber": order.phone, "template": template}
    return send_template.delay(
        payload, task_id=order.job, on_done="tasks.message_ended", on_done_queue="django_shop"
    )
