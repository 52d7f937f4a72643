"""The papers of orders, each issue as it was said, and what the bank said when it refused to give money back.

Written from the models; the triggers that keep an issue as it was are added by hand.
"""

from peewee import *

from models.base import MomentField

# All but the digest of the bytes, which is noted once.
KEPT = ("order_id", "kind", "about", "issue", "issued_at", "language", "layout", "content", "made_of")


def up(migrator, db):
    class Order(Model):
        class Meta:
            database = db
            table_name = "order"

    class Document(Model):
        order = ForeignKeyField(Order, on_delete="RESTRICT")
        kind = CharField(
            max_length=12, constraints=[Check("kind IN ('confirmation', 'contract', 'receipt', 'refund')")]
        )
        about = IntegerField(default=0)
        issue = IntegerField(constraints=[Check("issue > 0")])
        issued_at = MomentField()
        language = CharField(max_length=2)
        layout = IntegerField(default=1)
        content = JSONField()
        made_of = CharField(max_length=64)
        sha256 = CharField(max_length=64, default="")

        class Meta:
            database = db
            table_name = "document"
            indexes = ((("order", "kind", "about", "issue"), True),)

    db.create_tables([Document])
    moment = "DATETIME" if isinstance(db, SqliteDatabase) else "TIMESTAMPTZ"
    db.execute_sql(f"ALTER TABLE refund ADD COLUMN refused_at {moment}")
    kept = ", ".join(f'"{name}"' for name in KEPT)
    changes = {
        "delete": "DELETE",
        "truncate": "TRUNCATE",
        "words": f"UPDATE OF {kept}",
        "digest": "UPDATE OF sha256",
    }
    for name, change in changes.items():
        when = "WHEN (OLD.sha256 <> '') " if name == "digest" else ""
        if not isinstance(db, SqliteDatabase):
            each = "STATEMENT" if name == "truncate" else "ROW"
            db.execute_sql(
                f"CREATE TRIGGER document_keeps_{name} BEFORE {change} ON document "
                f"FOR EACH {each} {when}EXECUTE FUNCTION refuse_change()"
            )
        elif name != "truncate":
            db.execute_sql(
                f"CREATE TRIGGER document_keeps_{name} BEFORE {change} ON document {when}"
                "BEGIN SELECT RAISE(ABORT, 'document is append-only'); END"
            )


def down(migrator, db):
    db.execute_sql("ALTER TABLE refund DROP COLUMN refused_at")
    migrator.migrate(migrator.drop_table("document"))
