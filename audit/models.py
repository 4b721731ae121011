"""The event log as Django reads it.  Nothing here can write: see `audit.log`.

The tables live in the schema `audit`, owned by the database role
`countersign_audit`; the application may read them and append through one function.
"""

from typing import ClassVar, NoReturn

from django.db import models


class ReadOnly(Exception):
    """The audit log cannot be changed; append with audit.log.record."""


class ReadOnlyQuerySet(models.QuerySet["Event"]):
    """Refuses writes early, with a clear message; the database refuses them too."""

    def _refuse(self, *args: object, **kwargs: object) -> NoReturn:
        raise ReadOnly

    create = update = delete = bulk_create = bulk_update = _refuse
    get_or_create = update_or_create = _refuse


class Event(models.Model):
    """One act, in order, chained to the act before it by its hash."""

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.TextField(help_text="User name; empty for the service itself.")
    actor_name = models.TextField()
    action = models.TextField()
    target_type = models.TextField()
    target_id = models.TextField()
    target_label = models.TextField()
    data = models.JSONField()
    payload = models.TextField()
    previous_hash = models.TextField()
    hash = models.TextField()

    objects: ClassVar[models.Manager["Event"]] = models.Manager.from_queryset(
        ReadOnlyQuerySet
    )()

    class Meta:
        managed = False
        db_table = '"audit"."event"'
        ordering = ("seq",)

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"

    def save(self, *args: object, **kwargs: object) -> NoReturn:
        raise ReadOnly

    def delete(self, *args: object, **kwargs: object) -> NoReturn:
        raise ReadOnly


class Head(models.Model):
    """The newest event's number and hash: a single row."""

    only_row = models.BooleanField(primary_key=True)
    seq = models.BigIntegerField()
    hash = models.TextField()

    class Meta:
        managed = False
        db_table = '"audit"."head"'

    def __str__(self) -> str:
        return f"{self.seq} {self.hash}"


class Checkpoint(models.Model):
    """A signed statement of what the head was at a time."""

    seq = models.BigIntegerField(primary_key=True)
    hash = models.TextField()
    at = models.DateTimeField()
    note = models.TextField(help_text="The signed text, with its signature line.")

    class Meta:
        managed = False
        db_table = '"audit"."checkpoint"'
        ordering = ("-seq",)

    def __str__(self) -> str:
        return f"{self.seq} {self.hash}"
