"""What outboxes have in common: a row goes due → handed → sent, and its message goes out at most once (MSG-1)."""

import time
from datetime import timedelta

import structlog
from peewee import SQL

import config
import crash
from gateways import GatewayError
from gateways.mail import OutcomeUnknown
from models.base import BaseModel, db, unclaimed
from models.calendar import is_daytime

log = structlog.get_logger()

# Seconds before each next try: soon at first, then patient for about two days.
BACK_OFF = (5, 15, 60, 300, 900, 3600, 3600 * 3, 3600 * 6, 3600 * 12, 3600 * 24)


# Written to many at once: they go out in the daytime, and after everything that somebody waits for.
BULK = ("club_news", "points_lapse")
_BULK = ", ".join(repr(kind) for kind in BULK)
# Written out: with a parameter in it a database does not see that the index of due rows fits.
DUE = SQL(f"state = 'due' AND kind NOT IN ({_BULK})")
BULK_DUE = SQL(f"state = 'due' AND kind IN ({_BULK})")


class Outgoing(BaseModel):
    """One message to one person; the outboxes add its fields and say how it is delivered.

    due → handed (just before the gateway gets its text) → sent. A worker that dies before `handed` leaves a due row
    that another takes up; one that dies after it leaves a `handed` row, which is never sent again by itself.
    """

    # In log lines and crash points.
    what = ""

    def deliver(self, before) -> None:
        """Hand the message to its gateway, which calls `before` when nothing of it has left yet."""
        raise NotImplementedError

    def is_too_late(self, now) -> bool:
        """Whether nobody needs the message any more, or wants it."""
        return False

    @classmethod
    def claim(cls, now):
        """The next due row, kept from other workers for MAIL_LEASE seconds; None when nothing is due.

        The oldest first; what goes to many waits until nothing else is due, and for the day.
        """
        with db.atomic():
            row = cls._next(DUE, now)
            if row is None and is_daytime(now):
                row = cls._next(BULK_DUE, now)
            if row is None:
                return None
            row.tries += 1
            row.due_at = now + timedelta(seconds=config.MAIL_LEASE)
            row.save()
            return row

    @classmethod
    def _next(cls, due: SQL, now):
        rows = cls.select().where(due, cls.due_at <= now).order_by(cls.due_at, cls.id)
        return unclaimed(rows.limit(1)).first()

    @classmethod
    def index_due(cls) -> None:
        """Find what is due among the due rows alone, however many were sent."""
        cls.add_index(cls.index(cls.due_at, cls.id, where=DUE, name=f"{cls.what}_due"))
        cls.add_index(cls.index(cls.due_at, cls.id, where=BULK_DUE, name=f"{cls.what}_bulk_due"))

    def send(self, now) -> str:
        """Hand the claimed row to its gateway; returns its state. Trouble that may pass is tried again later."""
        crash.at(f"{self.what}: claimed")
        try:
            if self.is_too_late(now):
                raise GatewayError("its time was over, or it is not wanted any more", permanent=True)
            self.deliver(self._hand_over)
        except GatewayError as error:
            return self._keep(error, now)
        crash.at(f"{self.what}: accepted")
        cls = type(self)
        cls.update(state="sent", sent_at=now, trouble="").where(cls.id == self.id).execute()
        self.state = "sent"
        log.info(f"{self.what}.sent", **{self.what: self.id}, kind=self.kind)
        return self.state

    def _hand_over(self) -> None:
        crash.at(f"{self.what}: before hand-over")
        cls = type(self)
        mine = cls.update(state="handed").where(cls.id == self.id, cls.state == "due", cls.tries == self.tries)
        if not mine.execute():
            # The lease ran out and another worker has it, or it was taken back.
            raise GatewayError("another worker sends it", permanent=False)
        self.state = "handed"
        crash.at(f"{self.what}: handed")

    def _keep(self, error: GatewayError, now) -> str:
        if isinstance(error, OutcomeUnknown):
            state = "handed"
        elif error.permanent or self.tries > len(BACK_OFF):
            state = "failed"
        else:
            state = "due"
        cls = type(self)
        wait = BACK_OFF[min(self.tries, len(BACK_OFF)) - 1]
        (
            cls.update(state=state, due_at=now + timedelta(seconds=wait), trouble=str(error)[:255])
            .where(cls.id == self.id, cls.tries == self.tries, cls.state.in_(("due", "handed")))
            .execute()
        )
        self.state = state
        log.warning(f"{self.what}.not_sent", **{self.what: self.id}, state=state, tries=self.tries, reason=str(error))
        return state

    @classmethod
    def send_all_due(cls, now, limit: int = 50, within: float = 10) -> int:
        """Send what is due, for `within` seconds; returns how many were tried (MSG-1).

        A gateway that is slow to answer must not keep the worker from the bank.
        """
        tried, began = 0, time.monotonic()
        while tried < limit and time.monotonic() - began < within:
            # A slow gateway may take minutes for all of them; each lease starts when its row is taken up.
            moment = now + timedelta(seconds=time.monotonic() - began)
            row = cls.claim(moment)
            if row is None:
                break
            row.send(moment)
            tried += 1
        return tried
