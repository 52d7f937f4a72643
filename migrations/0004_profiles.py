"""Profiles: verified e-mails, registrations, links for a new password or e-mail; mails that belong to a profile.

The CHECKs are added by hand. A mail's kind loses its CHECK: for each new kind SQLite would build the table anew.
"""

from peewee import *

from models.base import MomentField


def up(migrator, db):
    class Order(Model):
        class Meta:
            database = db
            table_name = 'order'

    class Profile(Model):
        class Meta:
            database = db
            table_name = 'profile'

    migrator.migrate(migrator.add_column('profile', 'verified_at', MomentField(null=True)))
    # Until now the operator alone made profiles.
    db.execute_sql('UPDATE profile SET verified_at = created_at')

    class Registration(Model):
        code = CharField(unique=True, max_length=24)
        email = CharField(max_length=254)
        password_hash = CharField(max_length=200)
        first_name = CharField(max_length=60)
        last_name = CharField(max_length=60)
        language = CharField(max_length=2)
        mails = IntegerField(default=0, constraints=[Check('mails >= 0')])
        created_at = MomentField()
        expires_at = MomentField(index=True)
        used_at = MomentField(null=True)
        class Meta:
            database = db
            table_name = 'registration'
            constraints = [Check('expires_at > created_at')]
    db.create_tables([Registration])

    class ProfileLink(Model):
        code = CharField(unique=True, max_length=24)
        purpose = CharField(max_length=8, constraints=[Check("purpose IN ('password', 'email')")])
        profile = ForeignKeyField(Profile, null=True, on_delete='CASCADE')
        email = CharField(max_length=254)
        mails = IntegerField(default=0, constraints=[Check('mails >= 0')])
        created_at = MomentField()
        expires_at = MomentField(index=True)
        used_at = MomentField(null=True)
        class Meta:
            database = db
            table_name = 'profile_link'
            constraints = [
                Check('expires_at > created_at'),
                Check("profile_id IS NOT NULL OR purpose = 'password'"),
            ]
    db.create_tables([ProfileLink])

    if not isinstance(db, SqliteDatabase):
        db.execute_sql('ALTER TABLE mail DROP CONSTRAINT mail_kind_check')
        db.execute_sql('ALTER TABLE mail ADD COLUMN profile_id INTEGER REFERENCES profile (id) ON DELETE CASCADE')
        db.execute_sql('CREATE INDEX mail_profile_id ON mail (profile_id)')
        migrator.migrate(migrator.add_column('mail', 'data', JSONField(null=True)))
        return

    class Mail(Model):
        kind = CharField(max_length=30)
        key = CharField(unique=True, max_length=80)
        recipient = CharField(max_length=254)
        language = CharField(max_length=2)
        order = ForeignKeyField(Order, null=True, on_delete='CASCADE')
        profile = ForeignKeyField(Profile, null=True, on_delete='CASCADE')
        data = JSONField(null=True)
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

    kept = (
        'id, kind, "key", recipient, language, order_id, state, message_id, tries, written_at, due_at, sent_at, trouble'
    )
    db.execute_sql('ALTER TABLE mail RENAME TO mail_before')
    for index in db.get_indexes('mail_before'):
        if not index.name.startswith('sqlite_'):
            db.execute_sql(f'DROP INDEX "{index.name}"')
    db.create_tables([Mail])
    db.execute_sql(f'INSERT INTO mail ({kept}) SELECT {kept} FROM mail_before')  # noqa: S608
    db.execute_sql('DROP TABLE mail_before')


def down(migrator, db):
    db.execute_sql('DELETE FROM mail WHERE order_id IS NULL')
    migrator.migrate(migrator.drop_column('mail', 'data'))
    migrator.migrate(migrator.drop_column('mail', 'profile_id'))
    migrator.migrate(migrator.drop_table('profile_link'))
    migrator.migrate(migrator.drop_table('registration'))
    migrator.migrate(migrator.drop_column('profile', 'verified_at'))
