"""Complaints and withdrawals, and the files that come with them.

Written from the models; the CHECKs and the index that allows one withdrawal of an order are added by hand.
"""

from peewee import *

from models.base import MomentField


def up(migrator, db):
    class Order(Model):
        class Meta:
            database = db
            table_name = "order"

    class Claim(Model):
        order = ForeignKeyField(Order, on_delete="RESTRICT")
        key = CharField(unique=True, max_length=80)
        kind = CharField(max_length=10, constraints=[Check("kind IN ('complaint', 'withdrawal')")])
        about = CharField(
            max_length=20,
            constraints=[
                Check(
                    "about IN ('not_received', 'late', 'other', "
                    "'changed_mind', 'not_as_described', 'wrong_item', 'no_reason')"
                )
            ],
        )
        text = TextField(default="")
        lines = JSONField(null=True)
        state = CharField(
            max_length=10,
            default="open",
            constraints=[Check("state IN ('open', 'answered', 'accepted', 'refused', 'returned')")],
        )
        opened_at = MomentField()
        role = CharField(max_length=10)
        due_on = DateField(index=True)
        answered_at = MomentField(null=True)
        reply = TextField(default="")
        answered_by = CharField(max_length=254, default="")
        returned_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "claim"
            constraints = [
                Check("(state = 'open') = (answered_at IS NULL)"),
                Check(
                    "(kind = 'complaint' AND state IN ('open', 'answered')) "
                    "OR (kind = 'withdrawal' AND state <> 'answered')"
                ),
                Check("(state = 'returned') = (returned_at IS NOT NULL)"),
            ]

    class Attachment(Model):
        claim = ForeignKeyField(Claim, on_delete="CASCADE")
        name = CharField(max_length=100)
        kind = CharField(
            max_length=20, constraints=[Check("kind IN ('application/pdf', 'image/jpeg', 'image/png')")]
        )
        size = IntegerField(constraints=[Check("size > 0 AND size <= 5242880")])
        stored = CharField(max_length=43, unique=True)
        at = MomentField()

        class Meta:
            database = db
            table_name = "attachment"

    db.create_tables([Claim, Attachment])
    db.execute_sql(
        "CREATE UNIQUE INDEX claim_withdrawal_once ON claim (order_id) "
        "WHERE kind = 'withdrawal' AND state <> 'refused'"
    )


def down(migrator, db):
    for table in ("attachment", "claim"):
        migrator.migrate(migrator.drop_table(table))
