"""The copy of the billing system's data (holders, subscribers, numbers, invoices, contracts), and new numbers.

Generated from the models; the CHECKs, which a generated file leaves out, and the partial index are added by hand.
"""

from peewee import *
from models.base import MomentField

def up(migrator, db):
    class Cart(Model):
        class Meta:
            database = db
            table_name = 'cart'

    class CartLine(Model):
        class Meta:
            database = db
            table_name = 'cart_line'

    class Order(Model):
        class Meta:
            database = db
            table_name = 'order'

    class Profile(Model):
        class Meta:
            database = db
            table_name = 'profile'

    class Holder(Model):
        id_number = CharField(unique=True, max_length=20)
        segment = CharField(max_length=10, constraints=[Check("segment IN ('private', 'business')")])
        first_name = CharField(max_length=60, default='')
        last_name = CharField(max_length=60, default='')
        company = CharField(max_length=120, default='')
        class Meta:
            database = db
            table_name = 'holder'
    db.create_tables([Holder])

    class Subscriber(Model):
        holder = ForeignKeyField(Holder, on_delete='CASCADE')
        code = CharField(unique=True, max_length=30)
        since = DateField()
        has_history = BooleanField(default=False)
        class Meta:
            database = db
            table_name = 'subscriber'
    db.create_tables([Subscriber])

    class Number(Model):
        msisdn = CharField(unique=True, max_length=15, constraints=[Check('LENGTH(msisdn) >= 8')])
        subscriber = ForeignKeyField(Subscriber, on_delete='CASCADE')
        sim_end = CharField(max_length=6, constraints=[Check('LENGTH(sim_end) = 6')])
        kind = CharField(max_length=10, constraints=[Check("kind IN ('prepaid', 'postpaid')")])
        tariff = CharField(max_length=30, default='')
        active = BooleanField(default=True)
        class Meta:
            database = db
            table_name = 'number'
    db.create_tables([Number])

    class Contract(Model):
        number = ForeignKeyField(Number, on_delete='CASCADE')
        code = CharField(unique=True, max_length=40)
        kind = CharField(max_length=12, default='besnik24', constraints=[Check("kind IN ('besnik24')")])
        device = CharField(max_length=160)
        started_on = DateField()
        ends_on = DateField()
        price = IntegerField(constraints=[Check('price >= 0')])
        paid = IntegerField(default=0, constraints=[Check('paid >= 0')])
        instalments = IntegerField(constraints=[Check('instalments IN (1, 6, 12, 24)')])
        instalments_paid = IntegerField(default=0, constraints=[Check('instalments_paid >= 0')])
        ended = BooleanField(default=False)
        class Meta:
            database = db
            table_name = 'contract'
            constraints = [Check('ends_on >= started_on'), Check('paid <= price'), Check('instalments_paid <= instalments')]
    db.create_tables([Contract])

    class Invoice(Model):
        subscriber = ForeignKeyField(Subscriber, on_delete='CASCADE')
        number = CharField(unique=True, max_length=40)
        issued_on = DateField()
        due_on = DateField()
        amount = IntegerField(constraints=[Check('amount > 0')])
        paid_at = MomentField(null=True)
        paid_through = CharField(max_length=10, default='', constraints=[Check("paid_through IN ('', 'online', 'app', 'shop', 'bank', 'other')")])
        class Meta:
            database = db
            table_name = 'invoice'
            constraints = [Check("(paid_at IS NULL) = (paid_through = '')"), Check('due_on >= issued_on')]
    db.create_tables([Invoice])

    class NewNumber(Model):
        msisdn = CharField(unique=True, max_length=15, constraints=[Check('LENGTH(msisdn) >= 8')])
        state = CharField(max_length=4, default='free', constraints=[Check("state IN ('free', 'held', 'sold')")])
        held_until = MomentField(index=True, null=True)
        cart = ForeignKeyField(Cart, null=True, on_delete='SET NULL')
        line = ForeignKeyField(CartLine, unique=True, null=True, on_delete='SET NULL')
        order = ForeignKeyField(Order, null=True, on_delete='SET NULL')
        class Meta:
            database = db
            table_name = 'new_number'
            constraints = [Check("(state = 'held') = (held_until IS NOT NULL)"), Check("state = 'held' OR (cart_id IS NULL AND line_id IS NULL)")]
    db.create_tables([NewNumber])

    class ProfileNumber(Model):
        profile = ForeignKeyField(Profile, on_delete='CASCADE')
        number = ForeignKeyField(Number, on_delete='CASCADE')
        added_at = MomentField()
        class Meta:
            database = db
            table_name = 'profile_number'
            indexes = ((('profile', 'number'), True),)
    db.create_tables([ProfileNumber])

    # A number has one Besnik 24 contract at a time (ELG-5).
    db.execute_sql('CREATE UNIQUE INDEX contract_running_once ON contract (number_id) WHERE NOT ended')


def down(migrator, db):
    migrator.migrate(migrator.drop_table('profile_number'))
    migrator.migrate(migrator.drop_table('new_number'))
    migrator.migrate(migrator.drop_table('invoice'))
    migrator.migrate(migrator.drop_table('contract'))
    migrator.migrate(migrator.drop_table('number'))
    migrator.migrate(migrator.drop_table('subscriber'))
    migrator.migrate(migrator.drop_table('holder'))
