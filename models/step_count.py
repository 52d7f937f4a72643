"""How many checkouts reached each step on each day: counts alone, nothing of who it was (PRV-1)."""

from datetime import date

from peewee import CharField, Check, DateField, IntegerField, fn

from models.base import BaseModel, db
from models.calendar import local_day
from models.checkout import Checkout

STEPS = ("number", "data", "delivery", "payment", "overview")


class StepCount(BaseModel):
    """The checkouts that reached `step` for the first time on `day`, a day of the shop's country."""

    day = DateField()
    step = CharField(max_length=10, constraints=[Check(f"step IN {STEPS!r}")])
    count = IntegerField(default=0, constraints=[Check("count > 0")])

    class Meta:
        indexes = ((("day", "step"), True),)

    @classmethod
    def reached(cls, checkout: Checkout, step: str, now) -> None:
        """Count the step, once until the checkout is placed; going back and forth, or twice at once, adds nothing."""
        place = STEPS.index(step) + 1
        if checkout.reached >= place:
            return
        with db.atomic():
            first = (
                Checkout.update(reached=place).where(Checkout.id == checkout.id, Checkout.reached < place).execute()
            )
            if first:
                cls.insert(day=local_day(now), step=step, count=1).on_conflict(
                    conflict_target=[cls.day, cls.step], update={cls.count: cls.count + 1}
                ).execute()
        checkout.reached = place

    @classmethod
    def between(cls, first: date, last: date) -> dict[str, int]:
        """How many reached each step from `first` to `last`, both included; steps nobody reached are 0."""
        rows = cls.select(cls.step, fn.SUM(cls.count)).where(cls.day.between(first, last)).group_by(cls.step).tuples()
        found = {step: int(count) for step, count in rows}
        return {step: found.get(step, 0) for step in STEPS}
