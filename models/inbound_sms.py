"""An SMS to 50777 that was answered, so that it counts once however often it is brought (CLB-9)."""

from collections.abc import Callable
from datetime import timedelta

from peewee import CharField, TextField

import crash
from models.base import BaseModel, MomentField, ShortLived, db


class InboundSms(ShortLived, BaseModel):
    """What was answered to a message; what the message said is not kept."""

    message = CharField(unique=True, max_length=64)
    # Blank only until its transaction ends.
    answer = TextField(default="")
    at = MomentField(index=True)

    @classmethod
    def once(cls, message: str, now, answer: Callable[[], str]) -> str:
        """The answer to the message with this id: what `answer` does and says, or what was said before.

        What `answer` writes and the note that it was asked are one transaction. Who brings the same message at the
        same moment waits for it.
        """
        with db.atomic():
            (
                cls.insert(message=message, at=now)
                # Changing nothing still takes the row's lock, and meets what was committed meanwhile.
                .on_conflict(conflict_target=[cls.message], update={cls.message: cls.message})
                .execute()
            )
            row = cls.get(cls.message == message)
            if not row.answer:
                row.answer = answer()
                row.save()
        crash.at("club: answered")
        return row.answer

    @classmethod
    def past(cls, now):
        """Those of more than 90 days ago: no gateway brings one after that long."""
        return cls.at < now - timedelta(days=90)
