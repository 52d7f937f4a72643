"""SMS and their outbox, security codes with their limits, and the steps of adding a number to a profile.

Generated from the models; the CHECKs, which a generated file leaves out, are added by hand.
"""

from peewee import *
from models.base import MomentField

def up(migrator, db):
    class Profile(Model):
        class Meta:
            database = db
            table_name = 'profile'

    class Holder(Model):
        class Meta:
            database = db
            table_name = 'holder'

    class Allowance(Model):
        key = CharField(max_length=120)
        place = IntegerField()
        at = MomentField(index=True)
        class Meta:
            database = db
            table_name = 'allowance'
            indexes = ((('key', 'place'), True),)
    db.create_tables([Allowance])

    class SecurityCode(Model):
        profile = ForeignKeyField(Profile, on_delete='CASCADE')
        msisdn = CharField(max_length=15)
        nonce = CharField(max_length=32)
        genuine = BooleanField()
        sent_at = MomentField(index=True)
        expires_at = MomentField()
        tries = IntegerField(default=0, constraints=[Check('tries >= 0')])
        used_at = MomentField(null=True)
        class Meta:
            database = db
            table_name = 'security_code'
    db.create_tables([SecurityCode])

    class Sms(Model):
        kind = CharField(max_length=30)
        key = CharField(unique=True, max_length=80)
        recipient = CharField(max_length=15, constraints=[Check('LENGTH(recipient) >= 8')])
        language = CharField(max_length=2)
        code = ForeignKeyField(SecurityCode, null=True, on_delete='CASCADE')
        state = CharField(max_length=8, constraints=[Check("state IN ('due', 'handed', 'sent', 'failed', 'withheld')")])
        message_id = CharField(unique=True, max_length=40)
        tries = IntegerField(default=0)
        written_at = MomentField()
        due_at = MomentField(index=True, null=True)
        until = MomentField(null=True)
        sent_at = MomentField(null=True)
        trouble = CharField(max_length=255, default='')
        report = CharField(max_length=10, default='', constraints=[Check("report IN ('', 'accepted', 'buffered', 'delivered', 'failed', 'rejected')")])
        reported_at = MomentField(null=True)
        class Meta:
            database = db
            table_name = 'sms'
    db.create_tables([Sms])

    class NumberClaim(Model):
        token = CharField(unique=True, max_length=32)
        profile = ForeignKeyField(Profile, on_delete='CASCADE')
        msisdn = CharField(max_length=15)
        back = CharField(max_length=300, default='')
        holder = ForeignKeyField(Holder, null=True, on_delete='CASCADE')
        proof = CharField(max_length=64, default='')
        code = ForeignKeyField(SecurityCode, null=True, on_delete='SET NULL')
        began_at = MomentField(index=True)
        added_at = MomentField(null=True)
        class Meta:
            database = db
            table_name = 'number_claim'
    db.create_tables([NumberClaim])

def down(migrator, db):
    for table in ('number_claim', 'sms', 'security_code', 'allowance'):
        db.execute_sql(f'DROP TABLE {table}')
