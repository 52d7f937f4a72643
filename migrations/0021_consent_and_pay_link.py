"""Consents of guests too, reminders of carts that were left, and links by which somebody else pays an order.

Written by hand: SQLite can neither take NOT NULL from a column nor change a CHECK, so the table of consents is made
anew there; what it refuses it refuses as before.
"""

from peewee import *

from models.base import MomentField

KINDS = "'club_email', 'club_sms', 'cart_email'"
CHANNELS = "'web', 'checkout', 'sms', 'mail', 'desk'"
WHOSE = "(profile_id IS NULL) = (email <> '')"
COLUMNS = "id, profile_id, kind, given, wording, channel, at"


def up(migrator, db):
    if isinstance(db, SqliteDatabase):
        remake(
            db,
            '"profile_id" INTEGER',
            "\"email\" VARCHAR(254) NOT NULL DEFAULT ''",
            KINDS,
            "VARCHAR(10)",
            CHANNELS,
            f", CHECK ({WHOSE})",
        )
    else:
        for name in ("kind", "channel"):
            db.execute_sql(f"ALTER TABLE consent DROP CONSTRAINT consent_{name}_check")
        db.execute_sql("ALTER TABLE consent ALTER COLUMN profile_id DROP NOT NULL")
        db.execute_sql("ALTER TABLE consent ALTER COLUMN channel TYPE VARCHAR(10)")
        db.execute_sql("ALTER TABLE consent ADD COLUMN email VARCHAR(254) NOT NULL DEFAULT ''")
        db.execute_sql(f"ALTER TABLE consent ADD CONSTRAINT consent_kind_check CHECK (kind IN ({KINDS}))")
        db.execute_sql(f"ALTER TABLE consent ADD CONSTRAINT consent_channel_check CHECK (channel IN ({CHANNELS}))")
        db.execute_sql(f"ALTER TABLE consent ADD CONSTRAINT consent_whose CHECK ({WHOSE})")
    db.execute_sql("CREATE INDEX consent_email_kind ON consent (email, kind)")

    class Consent(Model):
        class Meta:
            database = db
            table_name = "consent"

    class Cart(Model):
        class Meta:
            database = db
            table_name = "cart"

    class Order(Model):
        class Meta:
            database = db
            table_name = "order"

    class CartReminder(Model):
        cart = ForeignKeyField(Cart, on_delete="CASCADE")
        last_line = IntegerField(constraints=[Check("last_line > 0")])
        consent = ForeignKeyField(Consent, on_delete="CASCADE")
        nonce = CharField(unique=True, max_length=32)
        written_at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "cart_reminder"
            indexes = ((("cart", "last_line"), True),)

    class PayLink(Model):
        order = ForeignKeyField(Order, on_delete="CASCADE")
        nonce = CharField(unique=True, max_length=32)
        made_at = MomentField()
        revoked_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "pay_link"

    db.create_tables([CartReminder, PayLink])
    # Of an order one link at a time is good.
    db.execute_sql("CREATE UNIQUE INDEX pay_link_once ON pay_link (order_id) WHERE revoked_at IS NULL")
    db.execute_sql("ALTER TABLE checkout ADD COLUMN remind_in VARCHAR(2) NOT NULL DEFAULT ''")
    # By which link an attempt was begun: only orders have links.
    db.execute_sql(
        "ALTER TABLE payment ADD COLUMN link_id INTEGER REFERENCES pay_link (id) ON DELETE RESTRICT "
        "CHECK (link_id IS NULL OR order_id IS NOT NULL)"
    )
    db.execute_sql("CREATE INDEX payment_link_id ON payment (link_id)")


def down(migrator, db):
    rows = db.execute_sql(
        "SELECT 1 FROM consent WHERE profile_id IS NULL OR kind = 'cart_email' OR channel = 'checkout' LIMIT 1"
    )
    if rows.fetchone():
        raise RuntimeError("There are consents that the former table cannot hold.")
    db.execute_sql("DROP INDEX payment_link_id")
    db.execute_sql("ALTER TABLE payment DROP COLUMN link_id")
    db.execute_sql("ALTER TABLE checkout DROP COLUMN remind_in")
    migrator.migrate(migrator.drop_table("pay_link"))
    migrator.migrate(migrator.drop_table("cart_reminder"))
    db.execute_sql("DROP INDEX consent_email_kind")
    kinds, channels = "'club_email', 'club_sms'", "'web', 'sms', 'mail', 'desk'"
    if isinstance(db, SqliteDatabase):
        remake(db, '"profile_id" INTEGER NOT NULL', "", kinds, "VARCHAR(4)", channels, "")
    else:
        db.execute_sql("ALTER TABLE consent DROP CONSTRAINT consent_whose")
        for name in ("kind", "channel"):
            db.execute_sql(f"ALTER TABLE consent DROP CONSTRAINT consent_{name}_check")
        db.execute_sql("ALTER TABLE consent DROP COLUMN email")
        db.execute_sql("ALTER TABLE consent ALTER COLUMN channel TYPE VARCHAR(4)")
        db.execute_sql("ALTER TABLE consent ALTER COLUMN profile_id SET NOT NULL")
        db.execute_sql(f"ALTER TABLE consent ADD CONSTRAINT consent_kind_check CHECK (kind IN ({kinds}))")
        db.execute_sql(f"ALTER TABLE consent ADD CONSTRAINT consent_channel_check CHECK (channel IN ({channels}))")


def remake(db, profile, email, kinds, channel, channels, check):
    """The table of consents with these columns, its rows, its indexes and the trigger that keeps what was said."""
    kept = db.execute_sql(
        "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND tbl_name = 'consent' AND sql IS NOT NULL"
    ).fetchall()
    email = f"{email}, " if email else ""
    db.execute_sql(
        f'CREATE TABLE "consent_new" ("id" INTEGER NOT NULL PRIMARY KEY, {profile}, {email}'
        f'"kind" VARCHAR(20) NOT NULL CHECK (kind IN ({kinds})), "given" INTEGER NOT NULL, "wording" TEXT NOT NULL, '
        f'"channel" {channel} NOT NULL CHECK (channel IN ({channels})), "at" DATETIME NOT NULL, '
        f'FOREIGN KEY ("profile_id") REFERENCES "profile" ("id") ON DELETE CASCADE{check})'
    )
    db.execute_sql(f"INSERT INTO consent_new ({COLUMNS}) SELECT {COLUMNS} FROM consent")
    db.execute_sql("DROP TABLE consent")
    db.execute_sql("ALTER TABLE consent_new RENAME TO consent")
    for (definition,) in kept:
        db.execute_sql(definition)
