"""The shop's copy of mobile numbers, and which profiles they were added to."""

from peewee import BooleanField, CharField, Check, ForeignKeyField

from models.base import BaseModel, MomentField, db
from models.profile import Profile
from models.subscriber import Holder, Subscriber


class Number(BaseModel):
    """A mobile number in use."""

    # E.164 without the plus: 38970123456.
    msisdn = CharField(unique=True, max_length=15, constraints=[Check("LENGTH(msisdn) >= 8")])
    subscriber = ForeignKeyField(Subscriber, backref="numbers", on_delete="CASCADE")
    # The last six digits of the SIM's serial number (PRO-3).
    sim_end = CharField(max_length=6, constraints=[Check("LENGTH(sim_end) = 6")])
    kind = CharField(max_length=10, constraints=[Check("kind IN ('prepaid', 'postpaid')")])
    # As the operator calls it; it need not be one that is sold today.
    tariff = CharField(max_length=30, default="")
    # False: given up or ported out.
    active = BooleanField(default=True)

    @property
    def holder(self) -> Holder:
        return self.subscriber.holder

    @classmethod
    def of_msisdn(cls, msisdn: str) -> "Number | None":
        """The active number `msisdn` with subscriber and holder, or None; one query."""
        return cls._with_holder().where(cls.msisdn == msisdn, cls.active).first()

    @classmethod
    def of_profile(cls, profile: Profile) -> list["Number"]:
        """The numbers that were added to `profile`, with subscriber and holder, in that order; one query."""
        return list(
            cls._with_holder()
            .join_from(cls, ProfileNumber)
            .where(ProfileNumber.profile == profile, cls.active)
            .order_by(ProfileNumber.id)
        )

    @classmethod
    def codes_of(cls, profile: Profile):
        """The subscriber codes of the profile's numbers, as a query to look into."""
        return cls.select(cls.subscriber).join(ProfileNumber).where(ProfileNumber.profile == profile, cls.active)

    @classmethod
    def of_profile_by(cls, profile: Profile, **wanted) -> "Number | None":
        """The number with this `id` or `msisdn` if it was added to `profile`, else None; one query."""
        query = cls._with_holder().join_from(cls, ProfileNumber).where(ProfileNumber.profile == profile, cls.active)
        return query.where(*(getattr(cls, name) == value for name, value in wanted.items())).first()

    def add_to(self, profile: Profile, now) -> None:
        """Put it into `profile`; a second time it is there already (PRO-3). Other profiles keep it, and hear nothing.

        Each of them proved to hold it: a family, or a company's clerks, may share one. What was taken into the club
        at the desk has mails from then on (CLB-1).
        """
        from models.club_member import ClubMember

        with db.atomic():
            (
                ProfileNumber.insert(profile=profile, number=self, added_at=now)
                .on_conflict(
                    conflict_target=[ProfileNumber.profile, ProfileNumber.number],
                    update={ProfileNumber.number: ProfileNumber.number},
                )
                .execute()
            )
            ClubMember.begin_mails(self, profile)

    def remove_from(self, profile: Profile) -> bool:
        """Take it out of `profile`, with the devices of the profile's cart that are for it; false when it was not
        there. Orders, contracts and the club's points stay as they are; the club's mails to `profile` end."""
        from models.cart import Cart, CartLine
        from models.club_member import ClubMember

        with db.atomic():
            carts = Cart.select(Cart.id).where(Cart.profile == profile)
            CartLine.delete().where(CartLine.number == self, CartLine.cart.in_(carts)).execute()
            gone = ProfileNumber.delete().where(ProfileNumber.profile == profile, ProfileNumber.number == self)
            if not gone.execute():
                return False
            ClubMember.end_mails(self, profile)
            return True

    def active_contract(self, now) -> "Contract | None":  # noqa: F821
        """The Besnik 24 contract that runs on this number, if one does (ELG-5)."""
        from models.contract import Contract

        return Contract.running(now).where(Contract.number == self).order_by(Contract.ends_on.desc()).first()

    @classmethod
    def _with_holder(cls):
        return cls.select(cls, Subscriber, Holder).join(Subscriber).join(Holder)


class ProfileNumber(BaseModel):
    """A number that somebody proved to hold and added to a profile (PRO-3).

    It goes when the number gets another holder: the proof was the former one's.
    """

    profile = ForeignKeyField(Profile, backref="profile_numbers", on_delete="CASCADE")
    number = ForeignKeyField(Number, backref="profile_numbers", on_delete="CASCADE")
    added_at = MomentField()

    class Meta:
        indexes = ((("profile", "number"), True),)
