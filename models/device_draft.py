"""Drafts of devices: what editors change is seen by them alone until it is published in one step (DSK-4, CAT-5).

A device has one draft, whoever works on it; of two who save at once the second is told (`ChangedMeanwhile`). The
device's trail has every save, and what was published.
"""

from peewee import CharField, ForeignKeyField, IntegrityError, JSONField

from models.actor import Actor
from models.base import IS_SQLITE, BaseModel, MomentField, db, locked
from models.catalogue import Device
from models.device_sheet import DeviceSheet, read_path
from models.trail import record, refuse_changed_subject

# Never written by a draft: they name what it is of.
_FIXED = frozenset({"slug", "sku"})


class SlugTaken(ValueError):
    """There is such a device, or a draft of one."""


class NoDraft(LookupError):
    """There is nothing to publish: it was published, or dropped, meanwhile."""


class LiveChanged(Exception):
    """The shop's device changed since the draft was begun: (before, after) by path, of what both do not share."""

    def __init__(self, before: dict, after: dict):
        super().__init__(", ".join(after))
        self.before, self.after = before, after


def subject_of(slug: str) -> str:
    return f"device:{slug}"


class DeviceDraft(BaseModel):
    """A device as it will be once this is published."""

    slug = CharField(unique=True, max_length=Device.slug.max_length)
    # None: the device is not in the shop yet.
    device = ForeignKeyField(Device, null=True, unique=True, on_delete="CASCADE")
    # The sheet of the device when the draft was begun; null for a new one.
    base = JSONField(null=True)
    sheet = JSONField()
    begun_at = MomentField()
    changed_at = MomentField()
    # The e-mail of who changed it last.
    who = CharField(max_length=254)

    @property
    def as_sheet(self) -> DeviceSheet:
        return DeviceSheet.of_json(self.sheet)

    @property
    def base_sheet(self) -> DeviceSheet | None:
        return DeviceSheet.of_json(self.base) if self.base else None

    @property
    def is_new(self) -> bool:
        return self.base is None

    def differences(self) -> tuple[dict, dict]:
        """(before, after) by path: what publishing would change."""
        return (self.base_sheet or DeviceSheet({}, {})).differences(self.as_sheet)

    @classmethod
    def of(cls, slug: str) -> "DeviceDraft | None":
        return cls.get_or_none(cls.slug == slug)

    @classmethod
    def begin_new(cls, values: dict, *, by: Actor, now) -> "DeviceDraft":
        """A device that the shop does not have yet; unlisted. Raises SlugTaken."""
        slug = values["slug"]
        sheet = DeviceSheet({**values, "listed": False}, {})
        try:
            with db.atomic():
                if Device.select().where(Device.slug == slug).exists():
                    raise SlugTaken(slug)
                draft = cls.create(
                    slug=slug, base=None, sheet=sheet.to_json(), begun_at=now, changed_at=now, who=by.name
                )
                record(by, "draft_begun", now, subject=subject_of(slug), after=sheet.flat())
        except IntegrityError:
            raise SlugTaken(slug) from None
        return draft

    @classmethod
    def save_changes(cls, slug: str, after: dict, *, by: Actor, now, mark: str | None = None) -> "DeviceDraft | None":
        """Put the values of `after` (path → value, None takes it away) into the device's draft.

        Begins the draft where there is none; drops it when nothing differs from the shop any more, and returns None
        then. A save that changes nothing writes nothing. Raises ChangedMeanwhile when the device's trail went on
        after `mark`, LookupError where there is no such device.
        """
        after = {path: value for path, value in after.items() if read_path(path)[0] not in _FIXED}
        with db.atomic():
            device, draft = cls._hold(slug)
            if device is None and draft is None:
                raise LookupError(slug)
            live = None
            if draft is None:
                live = DeviceSheet.of(device)
            old = draft.as_sheet if draft else live
            new = old.with_changes(after)
            before, changed = old.differences(new)
            if not changed:
                return draft
            if mark is not None:
                refuse_changed_subject(subject_of(slug), mark)
            record(by, "drafted", now, subject=subject_of(slug), before=before, after=changed)
            if draft is None:
                return cls.create(
                    slug=slug,
                    device=device,
                    base=live.to_json(),
                    sheet=new.to_json(),
                    begun_at=now,
                    changed_at=now,
                    who=by.name,
                )
            if draft.base_sheet and not draft.base_sheet.differences(new)[1]:
                draft.delete_instance()
                return None
            draft.sheet, draft.changed_at, draft.who = new.to_json(), now, by.name
            draft.save()
            return draft

    @classmethod
    def publish(cls, slug: str, *, by: Actor, now, why: str = "", mark: str | None = None) -> Device:
        """Make the draft the shop's device, all of it in one transaction, and end the draft.

        Raises NoDraft, ChangedMeanwhile (somebody saved after `mark`), LiveChanged (an import or another publisher
        changed the device since the draft was begun), models.device_sheet.Wrong.
        """
        with db.atomic():
            device, draft = cls._hold(slug)
            if draft is None:
                raise NoDraft(slug)
            if mark is not None:
                refuse_changed_subject(subject_of(slug), mark)
            live = DeviceSheet.of(device) if device else None
            base = draft.base_sheet
            if (live is None) != (base is None):
                raise LiveChanged({}, live.flat() if live else {})
            if live is not None:
                before, after = base.differences(live)
                if after:
                    raise LiveChanged(before, after)
            sheet = draft.as_sheet
            before, after = draft.differences()
            draft.delete_instance()
            device = sheet.write(live, now)
            record(by, "edited", now, subject=subject_of(slug), before=before, after=after, why=why)
        return device

    @classmethod
    def catch_up(cls, slug: str, *, by: Actor, now) -> "DeviceDraft | None":
        """Begin the draft anew from the shop's device as it is, keeping what the draft changes; None where nothing
        is left of it. Raises NoDraft."""
        with db.atomic():
            device, draft = cls._hold(slug)
            if draft is None:
                raise NoDraft(slug)
            if device is None:
                return draft
            live = DeviceSheet.of(device)
            _, changes = draft.differences()
            new = live.with_changes({path: value for path, value in changes.items() if read_path(path)[0] != "slug"})
            before, after = draft.as_sheet.differences(new)
            record(by, "draft_caught_up", now, subject=subject_of(slug), before=before, after=after)
            if not live.differences(new)[1]:
                draft.delete_instance()
                return None
            draft.device, draft.base, draft.sheet = device, live.to_json(), new.to_json()
            draft.changed_at, draft.who = now, by.name
            draft.save()
            return draft

    @classmethod
    def drop(cls, slug: str, *, by: Actor, now) -> bool:
        """Forget the draft; false when there was none."""
        with db.atomic():
            _, draft = cls._hold(slug)
            if draft is None:
                return False
            before, after = draft.differences()
            record(by, "draft_dropped", now, subject=subject_of(slug), before=after, after=before)
            draft.delete_instance()
            return True

    @classmethod
    def _hold(cls, slug: str) -> "tuple[Device | None, DeviceDraft | None]":
        """The device and its draft, held: the device first.

        An order that names the device goes on: it needs the row's key alone.
        """
        device = Device.select().where(Device.slug == slug)
        if not IS_SQLITE:
            device = device.for_update("FOR NO KEY UPDATE")
        return device.first(), locked(cls.select().where(cls.slug == slug)).first()
