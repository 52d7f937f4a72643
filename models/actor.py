"""Who does something to an order or to the shop: what every change is written down with (ORD-4, DSK-1)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """`role` is shopper, bank, system or one of `models.staff.ROLES`; `name` is the e-mail of who works here.

    A shopper is the one whose order it is, and needs no name.
    """

    role: str
    name: str = ""

    @classmethod
    def of(cls, staff) -> "Actor":
        """Somebody at work; `staff` is a row of `models.staff.Staff` with its profile."""
        return cls(staff.role, staff.profile.email)


SHOPPER = Actor("shopper")
SYSTEM = Actor("system")
