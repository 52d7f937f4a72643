"""The first tables: catalogue, cart, checkout, orders, payments, outbox, profiles.

Generated from the models; the CHECKs, which a generated file leaves out, and the partial index are added by hand.
"""

from peewee import *

from models.base import MomentField

def up(migrator, db):
    class Attempt(Model):
        key = CharField(index=True, max_length=300)
        at = MomentField()
        class Meta:
            database = db
            table_name = 'attempt'
    db.create_tables([Attempt])

    class Profile(Model):
        email = CharField(unique=True, max_length=254)
        password_hash = CharField(max_length=200)
        first_name = CharField(max_length=60, default='')
        last_name = CharField(max_length=60, default='')
        phone = CharField(max_length=20, default='')
        language = CharField(max_length=2, default='sq')
        session_number = IntegerField(default=1)
        created_at = MomentField()
        class Meta:
            database = db
            table_name = 'profile'
    db.create_tables([Profile])

    class Cart(Model):
        token = CharField(unique=True, max_length=43)
        profile = ForeignKeyField(Profile, unique=True, null=True, on_delete='SET NULL')
        created_at = MomentField()
        seen_at = MomentField(index=True)
        class Meta:
            database = db
            table_name = 'cart'
    db.create_tables([Cart])

    class Order(Model):
        number = CharField(unique=True, max_length=20)
        checkout_key = CharField(unique=True, max_length=43)
        cart = ForeignKeyField(Cart, null=True, on_delete='SET NULL')
        profile = ForeignKeyField(Profile, null=True, on_delete='SET NULL')
        state = CharField(index=True, max_length=20, constraints=[Check("state IN ('awaiting_payment', 'confirmed', 'packed', 'with_courier', 'delivered', 'lapsed', 'cancelled', 'delivery_failed', 'returned')")])
        language = CharField(max_length=2)
        first_name = CharField(max_length=60)
        last_name = CharField(max_length=60)
        email = CharField(index=True, max_length=254)
        phone = CharField(index=True, max_length=20)
        street = CharField(max_length=120)
        place = CharField(max_length=80)
        municipality = CharField(max_length=80)
        postal_code = CharField(max_length=4)
        note = CharField(max_length=200, default='')
        recipient = CharField(max_length=120, default='')
        payment_way = CharField(max_length=12, default='card', constraints=[Check("payment_way IN ('card')")])
        total = IntegerField(constraints=[Check('total >= 0')])
        currency = CharField(max_length=3)
        placed_at = MomentField(index=True)
        payable_until = MomentField(index=True)
        promised_on = DateField()
        terms_edition = CharField(max_length=20)
        class Meta:
            database = db
            table_name = 'order'
    db.create_tables([Order])

    class Payment(Model):
        order = ForeignKeyField(Order, on_delete='RESTRICT')
        oid = CharField(unique=True, max_length=40)
        amount = IntegerField(constraints=[Check('amount > 0')])
        state = CharField(max_length=12, constraints=[Check("state IN ('started', 'paid', 'declined', 'unknown', 'abandoned', 'surplus')")])
        started_at = MomentField()
        settled_at = MomentField(null=True)
        ask_at = MomentField(index=True, null=True)
        asked = IntegerField(default=0)
        auth_code = CharField(max_length=40, default='')
        trans_id = CharField(max_length=80, default='')
        reason = CharField(default='')
        class Meta:
            database = db
            table_name = 'payment'
    db.create_tables([Payment])

    class BankMessage(Model):
        at = MomentField()
        channel = CharField(max_length=10, constraints=[Check("channel IN ('return', 'callback')")])
        payment = ForeignKeyField(Payment, null=True, on_delete='SET NULL')
        digest = CharField(index=True, max_length=64, default='')
        outcome = CharField(max_length=12)
        detail = TextField(default='')
        class Meta:
            database = db
            table_name = 'bank_message'
    db.create_tables([BankMessage])

    class Brand(Model):
        name = CharField(unique=True, max_length=60)
        class Meta:
            database = db
            table_name = 'brand'
    db.create_tables([Brand])

    class Device(Model):
        slug = CharField(unique=True, max_length=120)
        kind = CharField(max_length=20, constraints=[Check("kind IN ('phone', 'tablet', 'accessory', 'prepaid_sim')")])
        brand = ForeignKeyField(Brand, on_delete='RESTRICT')
        name_sq = CharField(max_length=120)
        name_mk = CharField(max_length=120)
        name_en = CharField(max_length=120)
        note_sq = CharField(max_length=160, default='')
        note_mk = CharField(max_length=160, default='')
        note_en = CharField(max_length=160, default='')
        released = IntegerField(constraints=[Check('released BETWEEN 200001 AND 209912')])
        popularity = IntegerField(default=0)
        warranty_months = IntegerField(default=24, constraints=[Check('warranty_months >= 0')])
        facts = JSONField(default=dict)
        drawing = JSONField(default=dict)
        fits = JSONField(default=list)
        listed = BooleanField(default=True)
        digest = CharField(max_length=64, default='')
        class Meta:
            database = db
            table_name = 'device'
    db.create_tables([Device])

    class Variant(Model):
        device = ForeignKeyField(Device, on_delete='CASCADE')
        sku = CharField(unique=True, max_length=60)
        position = IntegerField(default=0)
        colour_sq = CharField(max_length=60, default='')
        colour_mk = CharField(max_length=60, default='')
        colour_en = CharField(max_length=60, default='')
        colour_hex = CharField(max_length=7)
        colour_family = CharField(max_length=12)
        storage_gb = IntegerField(null=True, constraints=[Check('storage_gb IS NULL OR storage_gb > 0')])
        ram_gb = IntegerField(null=True, constraints=[Check('ram_gb IS NULL OR ram_gb > 0')])
        price = IntegerField(constraints=[Check('price > 0')])
        stock = IntegerField(default=0, constraints=[Check('stock >= 0')])
        screen = CharField(max_length=30, default='')
        photo = CharField(max_length=120, default='')
        listed = BooleanField(default=True)
        class Meta:
            database = db
            table_name = 'variant'
    db.create_tables([Variant])

    class Tariff(Model):
        code = CharField(unique=True, max_length=30)
        name = CharField(max_length=60)
        monthly_price = IntegerField(constraints=[Check('monthly_price >= 0')])
        internet_gb = IntegerField(null=True)
        minutes = IntegerField(null=True)
        sms = IntegerField(null=True)
        position = IntegerField(default=0)
        listed = BooleanField(default=True)
        class Meta:
            database = db
            table_name = 'tariff'
    db.create_tables([Tariff])

    class CartLine(Model):
        cart = ForeignKeyField(Cart, on_delete='CASCADE')
        variant = ForeignKeyField(Variant, on_delete='CASCADE')
        choice = CharField(max_length=60)
        contract_type = CharField(max_length=12, constraints=[Check("contract_type IN ('device_only', 'new_number', 'besnik24')")])
        tariff = ForeignKeyField(Tariff, null=True, on_delete='SET NULL')
        quantity = IntegerField(default=1, constraints=[Check('quantity > 0')])
        price_seen = IntegerField()
        added_at = MomentField()
        class Meta:
            database = db
            table_name = 'cart_line'
            indexes = ((('cart', 'variant', 'choice'), True),)
    db.create_tables([CartLine])

    class CatalogueVersion(Model):
        number = IntegerField(default=0)
        class Meta:
            database = db
            table_name = 'catalogue_version'
    db.create_tables([CatalogueVersion])

    class Checkout(Model):
        cart = ForeignKeyField(Cart, unique=True, on_delete='CASCADE')
        key = CharField(unique=True, max_length=43)
        first_name = CharField(max_length=60, default='')
        last_name = CharField(max_length=60, default='')
        email = CharField(max_length=254, default='')
        phone = CharField(max_length=20, default='')
        street = CharField(max_length=120, default='')
        municipality = CharField(max_length=10, default='')
        place = CharField(max_length=4, default='')
        postal_code = CharField(max_length=4, default='')
        note = CharField(max_length=200, default='')
        recipient = CharField(max_length=120, default='')
        payment_way = CharField(max_length=12, default='')
        begun_at = MomentField()
        class Meta:
            database = db
            table_name = 'checkout'
    db.create_tables([Checkout])

    class Gift(Model):
        device = ForeignKeyField(Device, unique=True, on_delete='CASCADE')
        name_sq = CharField(max_length=120)
        name_mk = CharField(max_length=120)
        name_en = CharField(max_length=120)
        sku = CharField(max_length=60, default='')
        stock = IntegerField(default=0, constraints=[Check('stock >= 0')])
        class Meta:
            database = db
            table_name = 'gift'
    db.create_tables([Gift])

    class Listing(Model):
        device = ForeignKeyField(Device, primary_key=True, on_delete='CASCADE')
        version = IntegerField(index=True)
        shown = BooleanField(default=True)
        kind = CharField(max_length=20)
        brand = CharField(max_length=60)
        price = IntegerField()
        released = IntegerField()
        popularity = IntegerField()
        storages = JSONField(default=list)
        colours = JSONField(default=list)
        os = CharField(null=True, max_length=20)
        five_g = BooleanField(default=False)
        in_stock = BooleanField(default=False)
        discounted = BooleanField(default=False)
        gift = BooleanField(default=False)
        text = TextField(default='')
        card = JSONField(default=dict)
        due_at = MomentField(index=True, null=True)
        class Meta:
            database = db
            table_name = 'listing'
    db.create_tables([Listing])

    class Mail(Model):
        kind = CharField(max_length=30, constraints=[Check("kind IN ('order_confirmed', 'payment_failed', 'order_lapsed', 'payment_returned')")])
        key = CharField(unique=True, max_length=80)
        recipient = CharField(max_length=254)
        language = CharField(max_length=2)
        order = ForeignKeyField(Order, null=True, on_delete='CASCADE')
        state = CharField(max_length=8, constraints=[Check("state IN ('due', 'handed', 'sent', 'failed')")])
        message_id = CharField(max_length=120)
        tries = IntegerField(default=0)
        written_at = MomentField()
        due_at = MomentField(index=True, null=True)
        sent_at = MomentField(null=True)
        trouble = CharField(default='')
        class Meta:
            database = db
            table_name = 'mail'
    db.create_tables([Mail])

    class OrderEvent(Model):
        order = ForeignKeyField(Order, on_delete='CASCADE')
        at = MomentField()
        state = CharField(max_length=20)
        author = CharField(max_length=60)
        why = TextField(default='')
        class Meta:
            database = db
            table_name = 'order_event'
    db.create_tables([OrderEvent])

    class OrderLine(Model):
        order = ForeignKeyField(Order, on_delete='CASCADE')
        variant = ForeignKeyField(Variant, on_delete='RESTRICT')
        device = ForeignKeyField(Device, on_delete='RESTRICT')
        position = IntegerField()
        sku = CharField(max_length=60)
        contract_type = CharField(max_length=12, constraints=[Check("contract_type IN ('device_only', 'new_number', 'besnik24')")])
        names = JSONField()
        colours = JSONField()
        storage_gb = IntegerField(null=True)
        quantity = IntegerField(constraints=[Check('quantity > 0')])
        price = IntegerField(constraints=[Check('price >= 0')])
        before = IntegerField(null=True)
        picture = CharField(max_length=200)
        gift = JSONField(null=True)
        class Meta:
            database = db
            table_name = 'order_line'
    db.create_tables([OrderLine])

    class Promotion(Model):
        variant = ForeignKeyField(Variant, on_delete='CASCADE')
        percent = IntegerField(null=True, constraints=[Check('percent IS NULL OR (percent BETWEEN 1 AND 90)')])
        price = IntegerField(null=True, constraints=[Check('price IS NULL OR price > 0')])
        segment = CharField(max_length=10, default='all', constraints=[Check("segment IN ('all', 'private')")])
        starts_at = MomentField(null=True)
        ends_at = MomentField(null=True)
        class Meta:
            database = db
            table_name = 'promotion'
            constraints = [Check('(percent IS NULL) <> (price IS NULL)'), Check('starts_at IS NULL OR ends_at IS NULL OR starts_at < ends_at')]
    db.create_tables([Promotion])

    class Refund(Model):
        payment = ForeignKeyField(Payment, unique=True, on_delete='RESTRICT')
        amount = IntegerField(constraints=[Check('amount > 0')])
        state = CharField(max_length=10, constraints=[Check("state IN ('due', 'done', 'refused')")])
        begun_at = MomentField()
        done_at = MomentField(null=True)
        try_at = MomentField(index=True, null=True)
        tries = IntegerField(default=0)
        reason = CharField(default='')
        class Meta:
            database = db
            table_name = 'refund'
    db.create_tables([Refund])

    class TariffPrice(Model):
        variant = ForeignKeyField(Variant, on_delete='CASCADE')
        tariff = ForeignKeyField(Tariff, on_delete='CASCADE')
        contract_type = CharField(max_length=12, constraints=[Check("contract_type IN ('new_number', 'besnik24')")])
        price = IntegerField(constraints=[Check('price >= 0')])
        class Meta:
            database = db
            table_name = 'tariff_price'
            indexes = ((('variant', 'tariff', 'contract_type'), True),)
    db.create_tables([TariffPrice])

    # An order is paid at most once, whatever two messages say at the same moment (PAY-6).
    db.execute_sql("CREATE UNIQUE INDEX payment_paid_once ON payment (order_id) WHERE state = 'paid'")


def down(migrator, db):
    migrator.migrate(migrator.drop_table('tariff_price'))
    migrator.migrate(migrator.drop_table('refund'))
    migrator.migrate(migrator.drop_table('promotion'))
    migrator.migrate(migrator.drop_table('order_line'))
    migrator.migrate(migrator.drop_table('order_event'))
    migrator.migrate(migrator.drop_table('mail'))
    migrator.migrate(migrator.drop_table('listing'))
    migrator.migrate(migrator.drop_table('gift'))
    migrator.migrate(migrator.drop_table('checkout'))
    migrator.migrate(migrator.drop_table('catalogue_version'))
    migrator.migrate(migrator.drop_table('cart_line'))
    migrator.migrate(migrator.drop_table('tariff'))
    migrator.migrate(migrator.drop_table('variant'))
    migrator.migrate(migrator.drop_table('device'))
    migrator.migrate(migrator.drop_table('brand'))
    migrator.migrate(migrator.drop_table('bank_message'))
    migrator.migrate(migrator.drop_table('payment'))
    migrator.migrate(migrator.drop_table('order'))
    migrator.migrate(migrator.drop_table('cart'))
    migrator.migrate(migrator.drop_table('profile'))
    migrator.migrate(migrator.drop_table('attempt'))
