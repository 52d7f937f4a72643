"""Delivery attempts and arranged times; a trigger that keeps orders to the steps of ORD-4.

Written from the models; the CHECKs and the trigger are added by hand.
"""

from peewee import *

from models.base import MomentField

# From each state to these; nothing else is a step of an order.
STEPS = {
    "awaiting_payment": ("confirmed", "lapsed", "cancelled"),
    "confirmed": ("packed", "cancelled"),
    "packed": ("with_courier", "confirmed", "cancelled"),
    "with_courier": ("delivered", "delivery_failed", "cancelled"),
    "delivery_failed": ("with_courier", "returned", "cancelled"),
    "delivered": ("returned",),
    "lapsed": ("confirmed",),
}
NO_STEP = "OLD.state <> NEW.state AND NOT ({})".format(
    " OR ".join(
        "(OLD.state = '{}' AND NEW.state IN ({}))".format(state, ", ".join(f"'{to}'" for to in after))
        for state, after in STEPS.items()
    )
)


def up(migrator, db):
    class Order(Model):
        class Meta:
            database = db
            table_name = "order"

    class DeliveryAttempt(Model):
        order = ForeignKeyField(Order, on_delete="RESTRICT")
        number = IntegerField(constraints=[Check("number > 0")])
        at = MomentField()
        outcome = CharField(max_length=10, constraints=[Check("outcome IN ('failed', 'delivered')")])
        reason = CharField(max_length=20, default="")
        text = TextField(default="")
        until = DateField(null=True, index=True)
        recipient = CharField(max_length=120, default="")
        document = CharField(max_length=20, default="")
        authorised = BooleanField(default=False)
        role = CharField(max_length=10)
        who = CharField(max_length=254, default="")

        class Meta:
            database = db
            table_name = "delivery_attempt"
            indexes = ((("order", "number"), True),)
            constraints = [
                Check(
                    "reason IN ('', 'no_answer', 'not_home', 'refused', 'wrong_address', 'no_id', 'no_authorisation', "
                    "'other') AND (reason <> '') = (outcome = 'failed')"
                ),
                Check("(until IS NOT NULL) = (outcome = 'failed')"),
                Check(
                    "document IN ('', 'id_card', 'passport', 'driving_licence') "
                    "AND (document <> '') = (outcome = 'delivered')"
                ),
                Check("(recipient <> '') = (outcome = 'delivered')"),
            ]

    class ArrangedTime(Model):
        order = ForeignKeyField(Order, on_delete="RESTRICT")
        attempt = IntegerField(constraints=[Check("attempt > 0")])
        day = DateField(index=True)
        starts = IntegerField()
        ends = IntegerField()
        choices = IntegerField(default=1)
        at = MomentField()
        role = CharField(max_length=10)
        who = CharField(max_length=254, default="")

        class Meta:
            database = db
            table_name = "arranged_time"
            indexes = ((("order", "attempt"), True),)
            constraints = [
                Check(
                    "(starts = 9 AND ends = 12) OR (starts = 12 AND ends = 15) OR (starts = 15 AND ends = 18)"
                )
            ]

    db.create_tables([DeliveryAttempt, ArrangedTime])
    if isinstance(db, SqliteDatabase):
        db.execute_sql(
            f'CREATE TRIGGER order_goes_by_its_steps BEFORE UPDATE OF state ON "order" WHEN {NO_STEP} '
            "BEGIN SELECT RAISE(ABORT, 'that is no step of an order'); END"
        )
    else:
        db.execute_sql(
            "CREATE FUNCTION refuse_step() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'that is no step of an order' USING ERRCODE = 'check_violation'; END $$"
        )
        db.execute_sql(
            f'CREATE TRIGGER order_goes_by_its_steps BEFORE UPDATE OF state ON "order" FOR EACH ROW '
            f"WHEN ({NO_STEP}) EXECUTE FUNCTION refuse_step()"
        )


def down(migrator, db):
    if isinstance(db, SqliteDatabase):
        db.execute_sql("DROP TRIGGER order_goes_by_its_steps")
    else:
        db.execute_sql('DROP TRIGGER order_goes_by_its_steps ON "order"')
        db.execute_sql("DROP FUNCTION refuse_step()")
    for table in ("arranged_time", "delivery_attempt"):
        migrator.migrate(migrator.drop_table(table))
