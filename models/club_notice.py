"""That points are about to lapse, told once for each time ahead (CLB-6)."""

from peewee import CharField, Check, DateField, ForeignKeyField, IntegerField

from models.base import BaseModel, MomentField
from models.club_member import ClubMember


class ClubNotice(BaseModel):
    """One notice to one member of one last day."""

    member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
    usable_until = DateField()
    # Which of the two it is.
    step = CharField(max_length=5, constraints=[Check("step IN ('first', 'last')")])
    points = IntegerField(constraints=[Check("points > 0")])
    at = MomentField()

    class Meta:
        indexes = ((("member", "usable_until", "step"), True),)
