"""The applications that are measured, one file each, written as that library's documents say.

A file runs in its library's own environment. It has ``enqueue(payload)``, plain or ``async``, which queues
one job and may give the id under which the API will record it (else the payload's ``callbackData`` is that
id). It may have ``enqueue_many(payloads)``, and ``open()`` and ``close()`` for its connections.
"""
