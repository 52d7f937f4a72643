"""Addresses that a profile keeps, to be chosen with one press in the delivery step (CHK-2, PRV-1)."""

import hashlib
import re

from peewee import SQL, BooleanField, CharField, Check, ForeignKeyField

from models.base import BaseModel, MomentField, db, locked
from models.places import Place, municipality_of, place_of
from models.profile import Profile
from models.search_text import latin

# So many a profile keeps.
MOST = 10


class TooManyAddresses(Exception):
    """The profile keeps MOST addresses already: one has to go first."""


class SavedAddress(BaseModel):
    """One address of a profile; the same one is there once, however it is spelled."""

    profile = ForeignKeyField(Profile, backref="addresses", on_delete="CASCADE")
    # What its owner calls it: "Shtëpia"; may be empty.
    label = CharField(max_length=40, default="")
    street = CharField(max_length=120)
    postal_code = CharField(max_length=10)
    municipality = CharField(max_length=10)
    # The one that is chosen unless another is; the first of a profile is.
    is_default = BooleanField(default=False)
    # Of the address without what spelling makes of it.
    digest = CharField(max_length=64)
    saved_at = MomentField()

    class Meta:
        indexes = ((("profile", "digest"), True),)
        constraints = [Check("street <> '' AND postal_code <> '' AND municipality <> ''")]

    @classmethod
    def of(cls, profile: Profile) -> "list[SavedAddress]":
        """All of the profile's, the one that is chosen first on top; one query."""
        return list(cls.select().where(cls.profile == profile).order_by(cls.is_default.desc(), cls.id))

    @classmethod
    def of_profile_by(cls, profile: Profile, number: int) -> "SavedAddress | None":
        """The address of this id if it is the profile's, else None."""
        return cls.get_or_none(cls.profile == profile, cls.id == number)

    @classmethod
    def keep(
        cls,
        profile: Profile,
        street: str,
        postal_code: str,
        municipality: str,
        now,
        *,
        label: str = "",
        first: bool = False,
    ) -> "SavedAddress":
        """Keep an address; one that is kept already stays one, spelled as it is now.

        `first`: it becomes the one that is chosen by itself. Raises TooManyAddresses, KeyError where place or
        municipality is none.
        """
        place_of(postal_code), municipality_of(municipality)
        with db.atomic():
            known = cls._hold(profile)
            found = cls._same(known, street, postal_code, municipality)
            if found is None:
                if len(known) >= MOST:
                    raise TooManyAddresses
                found = cls(profile=profile, is_default=not known, saved_at=now)
            found._write(street, postal_code, municipality, label or found.label)
            if first:
                found._put_first()
        return found

    def change(self, street: str, postal_code: str, municipality: str, *, label: str, first: bool = False) -> None:
        """Change it; where it becomes another one of the profile's, the two are one from now on.

        Raises KeyError where place or municipality is none, SavedAddress.DoesNotExist when it was removed meanwhile.
        """
        place_of(postal_code), municipality_of(municipality)
        with db.atomic():
            known = self._hold(self.profile_id)
            held = next((one for one in known if one.id == self.id), None)
            if held is None:
                raise SavedAddress.DoesNotExist
            same = self._same(known, street, postal_code, municipality)
            if same is not None and same.id != held.id:
                same.delete_instance()
            held._write(street, postal_code, municipality, label)
            if first or (same is not None and same.is_default):
                held._put_first()

    def put_first(self) -> None:
        """From now on it is the one that is chosen by itself; nothing happens when it was removed meanwhile."""
        with db.atomic():
            if any(one.id == self.id for one in self._hold(self.profile_id)):
                self._put_first()

    @classmethod
    def remove(cls, profile: Profile, number: int) -> bool:
        """Forget the profile's address of this id; false when it is not there. The oldest left takes its place."""
        with db.atomic():
            known = cls._hold(profile)
            gone = next((one for one in known if one.id == number), None)
            if gone is None:
                return False
            gone.delete_instance()
            left = [one for one in known if one.id != number]
            if gone.is_default and left:
                left[0]._put_first()
        return True

    @property
    def place(self) -> Place:
        return place_of(self.postal_code)

    @property
    def is_deliverable(self) -> bool:
        """Whether place and municipality are still on the list: lists of places change (DLV-1)."""
        try:
            return bool(place_of(self.postal_code) and municipality_of(self.municipality))
        except KeyError:
            return False

    def text_in(self, language: str, street: bool = True) -> str:
        """The address on one line, with the place as `language` calls it; without the `street` where that stands
        beside it."""
        name = self.place.name(language) if self.is_deliverable else ""
        where = f"{self.postal_code} {name}".strip()
        return f"{self.street}, {where}" if street else where

    @classmethod
    def _hold(cls, profile) -> "list[SavedAddress]":
        # Two tabs take turns: of two that save the tenth one is told that there are ten.
        number = profile.id if isinstance(profile, Profile) else profile
        locked(Profile.select(Profile.id).where(Profile.id == number)).get()
        return list(cls.select().where(cls.profile == number).order_by(cls.id))

    @staticmethod
    def _same(known, street, postal_code, municipality) -> "SavedAddress | None":
        digest = _digest(street, postal_code, municipality)
        return next((one for one in known if one.digest == digest), None)

    def _write(self, street, postal_code, municipality, label) -> None:
        self.street, self.postal_code, self.municipality, self.label = street, postal_code, municipality, label
        self.digest = _digest(street, postal_code, municipality)
        self.save()

    def _put_first(self) -> None:
        cls = type(self)
        cls.update(is_default=False).where(
            cls.profile == self.profile_id, cls.is_default, cls.id != self.id
        ).execute()
        cls.update(is_default=True).where(cls.id == self.id).execute()
        self.is_default = True


SavedAddress.add_index(
    SavedAddress.index(SavedAddress.profile, unique=True, where=SQL("is_default"), name="saved_address_default_once")
)


def _digest(street: str, postal_code: str, municipality: str) -> str:
    """The same for "Rr. Ilindenit 12" and "rr ilindenit  12", another for "12/1" and "121"."""
    plain = " ".join(re.findall(r"\w+", latin(street)))
    return hashlib.sha256(f"{plain}|{postal_code}|{municipality}".encode()).hexdigest()
