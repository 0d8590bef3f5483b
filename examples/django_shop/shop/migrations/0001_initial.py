"""The orders."""

from django.db import migrations, models

import interakt_jobs


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Order",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("phone", models.CharField(max_length=15)),
                ("name", models.CharField(max_length=80)),
                ("quantity", models.PositiveIntegerField()),
                ("job", models.CharField(default=interakt_jobs.new_id, max_length=120, unique=True)),
                ("message_state", models.CharField(default="", max_length=20)),
            ],
        ),
    ]
