"""An SMS to 50777 that was answered, so that it counts once however often it is brought (CLB-9)."""

from datetime import timedelta

from peewee import CharField, TextField

from models.base import BaseModel, MomentField


class InboundSms(BaseModel):
    """What was answered to a message; what the message said is not kept."""

    message = CharField(unique=True, max_length=64)
    # Blank only until its transaction ends.
    answer = TextField(default="")
    at = MomentField(index=True)

    @classmethod
    def forget_old(cls, now) -> int:
        """Delete those of more than 90 days ago (PRV-3); returns how many. No gateway brings one after that long."""
        return cls.delete().where(cls.at < now - timedelta(days=90)).execute()
