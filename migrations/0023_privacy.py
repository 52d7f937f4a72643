"""Erasures of profiles, reports of the retention job, and permits by which it may delete what is append-only.

Written from the models; CHECKs, the index of one open wish, and the triggers that ask for a permit are added by hand.
"""

from peewee import *

from models.base import MomentField

# Table → the moment of its rows. What is written there stays as it was; a row goes only while a permit is there.
KEPT = {"audit_entry": "at", "order_note": "at", "stock_movement": "at", "document": "issued_at"}


def up(migrator, db):
    class Profile(Model):
        class Meta:
            database = db
            table_name = "profile"

    class Order(Model):
        class Meta:
            database = db
            table_name = "order"

    class Erasure(Model):
        code = CharField(unique=True, max_length=24)
        profile = ForeignKeyField(Profile, on_delete="CASCADE")
        language = CharField(max_length=2)
        asked_at = MomentField()
        expires_at = MomentField()
        confirmed_at = MomentField(null=True)
        due_at = MomentField(null=True, index=True)
        withdrawn_at = MomentField(null=True)
        done_at = MomentField(null=True)
        mark = CharField(max_length=64, default="", index=True)

        class Meta:
            database = db
            table_name = "erasure"
            constraints = [
                Check("expires_at > asked_at"),
                Check("(confirmed_at IS NULL) = (due_at IS NULL)"),
                Check("done_at IS NULL OR (confirmed_at IS NOT NULL AND withdrawn_at IS NULL)"),
            ]

    class PartedOrder(Model):
        order = ForeignKeyField(Order, unique=True, on_delete="CASCADE")
        at = MomentField()

        class Meta:
            database = db
            table_name = "parted_order"

    class RetentionRun(Model):
        day = DateField()
        kind = CharField(max_length=30)
        count = IntegerField(default=0, constraints=[Check("count >= 0")])
        began_at = MomentField()
        ended_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "retention_run"
            indexes = ((("day", "kind"), True),)

    class RetentionPermit(Model):
        kind = CharField(unique=True, max_length=30)
        before = MomentField()

        class Meta:
            database = db
            table_name = "retention_permit"

    db.create_tables([Erasure, PartedOrder, RetentionRun, RetentionPermit])
    db.execute_sql(
        "CREATE UNIQUE INDEX erasure_once ON erasure (profile_id) WHERE withdrawn_at IS NULL AND done_at IS NULL"
    )
    sqlite = isinstance(db, SqliteDatabase)
    if not sqlite:
        # Its argument is the name of the column with the row's moment.
        db.execute_sql(
            "CREATE FUNCTION refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF EXISTS (SELECT 1 FROM retention_permit WHERE kind = TG_TABLE_NAME "
            "AND (to_jsonb(OLD) ->> TG_ARGV[0])::timestamptz < before) THEN RETURN OLD; END IF; "
            "RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'check_violation'; END $$"
        )
    for table, moment in KEPT.items():
        _drop(db, table)
        if sqlite:
            db.execute_sql(
                f"CREATE TRIGGER {table}_keeps_delete BEFORE DELETE ON {table} WHEN NOT EXISTS "
                f"(SELECT 1 FROM retention_permit WHERE kind = '{table}' AND OLD.{moment} < before) "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        else:
            db.execute_sql(
                f"CREATE TRIGGER {table}_keeps_delete BEFORE DELETE ON {table} FOR EACH ROW "
                f"EXECUTE FUNCTION refuse_delete('{moment}')"
            )


def down(migrator, db):
    sqlite = isinstance(db, SqliteDatabase)
    for table in KEPT:
        _drop(db, table)
        if sqlite:
            db.execute_sql(
                f"CREATE TRIGGER {table}_keeps_delete BEFORE DELETE ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        else:
            db.execute_sql(
                f"CREATE TRIGGER {table}_keeps_delete BEFORE DELETE ON {table} FOR EACH ROW "
                "EXECUTE FUNCTION refuse_change()"
            )
    if not sqlite:
        db.execute_sql("DROP FUNCTION refuse_delete()")
    for table in ("retention_permit", "retention_run", "parted_order", "erasure"):
        migrator.migrate(migrator.drop_table(table))


def _drop(db, table):
    on = "" if isinstance(db, SqliteDatabase) else f" ON {table}"
    db.execute_sql(f"DROP TRIGGER {table}_keeps_delete{on}")
