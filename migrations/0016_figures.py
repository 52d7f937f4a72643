"""How many checkouts reached each step on each day, and indexes by which figures find their days."""

from peewee import *

# Table → columns.
INDEXES = {"order_event": ("state", "at"), "payment": ("started_at",), "club_entry": ("at",)}
STEPS = "('number', 'data', 'delivery', 'payment', 'overview')"


def up(migrator, db):
    class StepCount(Model):
        day = DateField()
        step = CharField(max_length=10, constraints=[Check(f"step IN {STEPS}")])
        count = IntegerField(default=0, constraints=[Check("count > 0")])

        class Meta:
            database = db
            table_name = "step_count"
            indexes = ((("day", "step"), True),)

    db.create_tables([StepCount])
    db.execute_sql("ALTER TABLE checkout ADD COLUMN reached INTEGER NOT NULL DEFAULT 0")
    for table, columns in INDEXES.items():
        db.execute_sql(f"CREATE INDEX {table}_{'_'.join(columns)} ON {table} ({', '.join(columns)})")


def down(migrator, db):
    for table, columns in INDEXES.items():
        db.execute_sql(f"DROP INDEX {table}_{'_'.join(columns)}")
    db.execute_sql("ALTER TABLE checkout DROP COLUMN reached")
    migrator.migrate(migrator.drop_table("step_count"))
