"""What the shop remembers."""

from django.db import models

from interakt_jobs import new_id


class Order(models.Model):
    """One order; ``job`` is the id of its message, made in advance; ``message_state`` is empty until that has ended."""

    phone = models.CharField(max_length=15)
    name = models.CharField(max_length=80)
    quantity = models.PositiveIntegerField()
    job = models.CharField(max_length=120, default=new_id, unique=True)
    message_state = models.CharField(max_length=20, default="")
