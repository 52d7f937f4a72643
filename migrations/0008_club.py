"""The points club: members, ledger, offers, what points become, and who works for it.

Written from the models; CHECKs and the triggers that keep the ledger as it was written are added by hand.
"""

from peewee import *

from models.base import MomentField

# Columns that come with their CHECK must be added in SQL.
COLUMNS = (
    ("sms", "data {json}"),
    ("order", "points INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0)"),
    ("order", "points_worth INTEGER NOT NULL DEFAULT 0 CHECK ((points_worth > 0) = (points > 0))"),
    ("checkout", "points_of_id INTEGER REFERENCES club_member (id) ON DELETE SET NULL"),
    ("checkout", "points INTEGER NOT NULL DEFAULT 0 CHECK (points >= 0)"),
    ("checkout", "points_worth INTEGER NOT NULL DEFAULT 0 CHECK ((points_worth > 0) = (points > 0))"),
)
OUTBOXES = ("mail", "sms")
# What is written there stays as it is; consents go with their profile.
APPEND_ONLY = (
    ("club_entry", ("UPDATE", "DELETE", "TRUNCATE")),
    ("club_movement", ("UPDATE", "DELETE", "TRUNCATE")),
    ("club_lot", ("DELETE", "TRUNCATE")),
    ("consent", ("UPDATE", "TRUNCATE")),
)
# Of a lot nothing changes but what is left of it.
FIXED = ("id", "member_id", "entry_id", "year", "usable_until", "points")


def up(migrator, db):
    class Subscriber(Model):
        class Meta:
            database = db
            table_name = "subscriber"

    class Number(Model):
        class Meta:
            database = db
            table_name = "number"

    class Profile(Model):
        class Meta:
            database = db
            table_name = "profile"

    class Holder(Model):
        class Meta:
            database = db
            table_name = "holder"

    class Order(Model):
        class Meta:
            database = db
            table_name = "order"

    class SecurityCode(Model):
        class Meta:
            database = db
            table_name = "security_code"

    class Rate(Model):
        name = CharField(
            max_length=12,
            constraints=[
                Check(
                    "name IN ('block', 'bundle', 'card', 'days', 'euro', 'least', 'notice', 'point', 'topup', 'unit', 'validity', 'welcome')"
                )
            ],
        )
        key = CharField(max_length=40, default="")
        since = DateField()
        value = IntegerField(constraints=[Check("value >= 0")])

        class Meta:
            database = db
            table_name = "club_rate"
            indexes = ((("name", "key", "since"), True),)

    class FixedService(Model):
        code = CharField(max_length=30, unique=True)
        subscriber = ForeignKeyField(Subscriber, on_delete="CASCADE")
        kind = CharField(max_length=10, constraints=[Check("kind IN ('internet', 'tv', 'bundle')")])
        package = CharField(max_length=40)
        active = BooleanField(default=True)

        class Meta:
            database = db
            table_name = "fixed_service"

    class ClubMember(Model):
        number = ForeignKeyField(Number, null=True, on_delete="RESTRICT")
        fixed = ForeignKeyField(FixedService, null=True, on_delete="RESTRICT")
        profile = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
        language = CharField(max_length=2)
        holder = ForeignKeyField(Holder, on_delete="RESTRICT")
        segment = CharField(max_length=10)
        kind = CharField(max_length=10)
        joined_at = MomentField()
        earns_from = DateField()
        balance = IntegerField(default=0, constraints=[Check("balance >= 0")])
        blocked_at = MomentField(null=True, index=True)
        ended_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "club_member"
            constraints = [Check("(number_id IS NULL) <> (fixed_id IS NULL)")]

    class ClubEntry(Model):
        member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
        kind = CharField(max_length=10)
        points = IntegerField()
        balance = IntegerField(constraints=[Check("balance >= 0")])
        at = MomentField()
        key = CharField(max_length=100, unique=True)
        about = JSONField()

        class Meta:
            database = db
            table_name = "club_entry"
            indexes = ((("member", "at"), False),)
            constraints = [
                Check(
                    "(kind IN ('welcome', 'month', 'topup', 'returned') AND points > 0) OR (kind IN ('units', 'bundle', 'voucher', 'gift', 'order', 'lapsed') AND points < 0) OR (kind = 'lost' AND points <= 0) OR (kind IN ('blocked', 'unblocked') AND points = 0)"
                )
            ]

    class ClubLot(Model):
        member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
        entry = ForeignKeyField(ClubEntry, on_delete="RESTRICT")
        year = IntegerField()
        usable_until = DateField()
        points = IntegerField(constraints=[Check("points > 0")])
        left = IntegerField(constraints=[Check('"left" >= 0')])

        class Meta:
            database = db
            table_name = "club_lot"
            indexes = ((("member", "usable_until"), False),)
            constraints = [Check('"left" <= points')]

    class ClubMovement(Model):
        entry = ForeignKeyField(ClubEntry, on_delete="RESTRICT")
        lot = ForeignKeyField(ClubLot, on_delete="RESTRICT")
        points = IntegerField(constraints=[Check("points <> 0")])

        class Meta:
            database = db
            table_name = "club_movement"
            indexes = ((("entry", "lot"), True),)

    class ClubMonth(Model):
        member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
        month = CharField(max_length=7, constraints=[Check("LENGTH(month) = 7")])
        spent = IntegerField(constraints=[Check("spent >= 0")])
        entry = ForeignKeyField(ClubEntry, null=True, unique=True, on_delete="RESTRICT")
        at = MomentField()

        class Meta:
            database = db
            table_name = "club_month"
            indexes = ((("member", "month"), True),)

    class ClubTopup(Model):
        reference = CharField(max_length=40, unique=True)
        fixed = ForeignKeyField(FixedService, on_delete="RESTRICT")
        package = CharField(max_length=40)
        topped_up_at = MomentField()
        entry = ForeignKeyField(ClubEntry, null=True, unique=True, on_delete="RESTRICT")
        at = MomentField()

        class Meta:
            database = db
            table_name = "club_topup"
            indexes = ((("fixed", "topped_up_at"), False),)

    class ClubNotice(Model):
        member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
        usable_until = DateField()
        step = CharField(max_length=5, constraints=[Check("step IN ('first', 'last')")])
        points = IntegerField(constraints=[Check("points > 0")])
        at = MomentField()

        class Meta:
            database = db
            table_name = "club_notice"
            indexes = ((("member", "usable_until", "step"), True),)

    class Partner(Model):
        code = CharField(max_length=30, unique=True)
        name = CharField(max_length=80)
        place = CharField(max_length=80, default="")

        class Meta:
            database = db
            table_name = "partner"

    class PartnerOffer(Model):
        names = JSONField()
        details = JSONField()
        points = IntegerField(constraints=[Check("points > 0")])
        since = DateField()
        until = DateField(null=True)
        partner = ForeignKeyField(Partner, on_delete="RESTRICT")
        code = CharField(max_length=12)
        days = IntegerField(constraints=[Check("days > 0")])

        class Meta:
            database = db
            table_name = "partner_offer"
            indexes = ((("code", "since"), True),)

    class ClubGift(Model):
        names = JSONField()
        details = JSONField()
        points = IntegerField(constraints=[Check("points > 0")])
        since = DateField()
        until = DateField(null=True)
        code = CharField(max_length=30)
        stock = IntegerField(constraints=[Check("stock >= 0")])
        sku = CharField(max_length=60, default="")

        class Meta:
            database = db
            table_name = "club_gift"
            indexes = ((("code", "since"), True),)

    class Voucher(Model):
        entry = ForeignKeyField(ClubEntry, unique=True, on_delete="RESTRICT")
        member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
        offer = ForeignKeyField(PartnerOffer, on_delete="RESTRICT")
        code = CharField(max_length=10, unique=True)
        channel = CharField(max_length=4, constraints=[Check("channel IN ('web', 'sms', 'ussd', 'shop')")])
        until = DateField()
        used_at = MomentField(null=True)
        used_by = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
        used_key = CharField(max_length=32, null=True, unique=True)

        class Meta:
            database = db
            table_name = "voucher"
            constraints = [Check("used_by_id IS NULL OR used_at IS NOT NULL")]

    class ClubService(Model):
        entry = ForeignKeyField(ClubEntry, unique=True, on_delete="RESTRICT")
        member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
        uuid = CharField(max_length=36, unique=True)
        msisdn = CharField(max_length=15)
        what = CharField(max_length=5, constraints=[Check("what IN ('MB', 'SMS', 'MMS', 'hej', 'fillo', 'super')")])
        amount = IntegerField(constraints=[Check("amount > 0")])
        days = IntegerField(constraints=[Check("days >= 0")])
        channel = CharField(max_length=4, constraints=[Check("channel IN ('web', 'sms', 'ussd', 'shop')")])
        state = CharField(
            max_length=8, constraints=[Check("state IN ('ordered', 'active', 'refused', 'over', 'lost')")]
        )
        ordered_at = MomentField()
        active_at = MomentField(null=True)
        ends_at = MomentField(null=True, index=True)

        class Meta:
            database = db
            table_name = "club_service"
            constraints = [Check("(active_at IS NULL) = (ends_at IS NULL)")]

    class OrderPoints(Model):
        order = ForeignKeyField(Order, unique=True, on_delete="RESTRICT")
        member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
        entry = ForeignKeyField(ClubEntry, unique=True, on_delete="RESTRICT")
        points = IntegerField(constraints=[Check("points > 0")])
        worth = IntegerField(constraints=[Check("worth > 0")])
        state = CharField(max_length=8, constraints=[Check("state IN ('held', 'taken', 'returned', 'lost')")])
        turns = IntegerField(default=0)
        at = MomentField()

        class Meta:
            database = db
            table_name = "order_points"

    class GiftHandout(Model):
        token = CharField(max_length=32, unique=True)
        member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
        gift = ForeignKeyField(ClubGift, on_delete="RESTRICT")
        points = IntegerField(constraints=[Check("points > 0")])
        clerk = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
        msisdn = CharField(max_length=15)
        code = ForeignKeyField(SecurityCode, null=True, on_delete="SET NULL")
        entry = ForeignKeyField(ClubEntry, null=True, unique=True, on_delete="RESTRICT")
        asked_at = MomentField()
        handed_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "gift_handout"
            constraints = [Check("(entry_id IS NULL) = (handed_at IS NULL)")]

    class DeskJoining(Model):
        token = CharField(max_length=32, unique=True)
        number = ForeignKeyField(Number, null=True, on_delete="CASCADE")
        fixed = ForeignKeyField(FixedService, null=True, on_delete="CASCADE")
        clerk = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
        msisdn = CharField(max_length=15)
        language = CharField(max_length=2)
        code = ForeignKeyField(SecurityCode, null=True, on_delete="SET NULL")
        member = ForeignKeyField(ClubMember, null=True, unique=True, on_delete="RESTRICT")
        asked_at = MomentField()
        joined_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "desk_joining"
            constraints = [
                Check("(number_id IS NULL) <> (fixed_id IS NULL)"),
                Check("(member_id IS NULL) = (joined_at IS NULL)"),
            ]

    class Staff(Model):
        profile = ForeignKeyField(Profile, unique=True, on_delete="CASCADE")
        role = CharField(
            max_length=10,
            constraints=[Check("role IN ('agent', 'warehouse', 'clerk', 'partner', 'editor', 'admin')")],
        )
        partner = ForeignKeyField(Partner, null=True, on_delete="RESTRICT")
        since = MomentField()

        class Meta:
            database = db
            table_name = "staff"
            constraints = [Check("(role = 'partner') = (partner_id IS NOT NULL)")]

    class InboundSms(Model):
        message = CharField(max_length=64, unique=True)
        answer = TextField(default="")
        at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "inbound_sms"

    class Consent(Model):
        profile = ForeignKeyField(Profile, on_delete="CASCADE")
        kind = CharField(max_length=20, constraints=[Check("kind IN ('club_email', 'club_sms')")])
        given = BooleanField()
        wording = TextField()
        channel = CharField(max_length=4, constraints=[Check("channel IN ('web', 'sms', 'mail', 'desk')")])
        at = MomentField()

        class Meta:
            database = db
            table_name = "consent"
            indexes = ((("profile", "kind", "at"), False),)

    tables = [
        Rate,
        FixedService,
        ClubMember,
        ClubEntry,
        ClubLot,
        ClubMovement,
        ClubMonth,
        ClubTopup,
        ClubNotice,
        Partner,
        PartnerOffer,
        ClubGift,
        Voucher,
        ClubService,
        OrderPoints,
        GiftHandout,
        DeskJoining,
        Staff,
        InboundSms,
        Consent,
    ]
    db.create_tables(tables)
    # A service has one membership at a time.
    for column in ("number", "fixed"):
        db.execute_sql(
            f"CREATE UNIQUE INDEX club_member_{column}_once ON club_member ({column}_id) WHERE ended_at IS NULL"
        )
    # What is not used; the rest is history.
    db.execute_sql('CREATE INDEX club_lot_open ON club_lot (usable_until, member_id) WHERE "left" > 0')
    # What is to be sent; the rest was. Messages to many have an index of their own: they come last.
    for table in OUTBOXES:
        for name, which in (("due", "NOT IN"), ("bulk_due", "IN")):
            db.execute_sql(
                f"CREATE INDEX {table}_{name} ON {table} (due_at, id) "
                f"WHERE state = 'due' AND kind {which} ('club_news', 'points_lapse')"
            )
    json = "TEXT" if isinstance(db, SqliteDatabase) else "JSONB"
    for table, column in COLUMNS:
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN {column.format(json=json)}')
    db.execute_sql("CREATE INDEX checkout_points_of_id ON checkout (points_of_id)")
    _keep(db)


def _keep(db):
    if not isinstance(db, SqliteDatabase):
        db.execute_sql(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', "
            "ERRCODE = 'check_violation'; END $$"
        )
    for table, changes in APPEND_ONLY:
        for change in changes:
            name = f"{table}_keeps_{change.lower()}"
            if not isinstance(db, SqliteDatabase):
                each = "STATEMENT" if change == "TRUNCATE" else "ROW"
                db.execute_sql(
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH {each} "
                    "EXECUTE FUNCTION refuse_change()"
                )
            elif change != "TRUNCATE":
                db.execute_sql(
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
    if isinstance(db, SqliteDatabase):
        changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in FIXED)
        does = "BEGIN SELECT RAISE(ABORT, 'club_lot is append-only'); END"
    else:
        changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in FIXED)
        does = "EXECUTE FUNCTION refuse_change()"
    db.execute_sql(
        f"CREATE TRIGGER club_lot_keeps_update BEFORE UPDATE ON club_lot FOR EACH ROW WHEN ({changed}) {does}"
    )


def down(migrator, db):
    for table in OUTBOXES:
        db.execute_sql(f"DROP INDEX {table}_bulk_due")
        db.execute_sql(f"DROP INDEX {table}_due")
    for table, column in reversed(COLUMNS):
        if column.startswith("points_of_id"):
            db.execute_sql("DROP INDEX checkout_points_of_id")
        db.execute_sql(f'ALTER TABLE "{table}" DROP COLUMN {column.split()[0]}')
    for table in TABLES:
        migrator.migrate(migrator.drop_table(table))
    if not isinstance(db, SqliteDatabase):
        db.execute_sql("DROP FUNCTION refuse_change()")


TABLES = (
    "consent",
    "inbound_sms",
    "staff",
    "desk_joining",
    "gift_handout",
    "order_points",
    "club_service",
    "voucher",
    "club_gift",
    "partner_offer",
    "partner",
    "club_notice",
    "club_topup",
    "club_month",
    "club_movement",
    "club_lot",
    "club_entry",
    "club_member",
    "fixed_service",
    "club_rate",
)
