"""`flask <noun> <verb>`: what an operator and the start scripts call."""

from pathlib import Path

import click
from flask import Flask
from playhouse.migrations import Runner

import config
from models.base import db, utcnow


def register(app: Flask) -> None:
    from commands import brand, bss, catalog, club, privacy, refund, sms, staff

    groups = (brand.brand, catalog.catalog, bss.bss, club.club, privacy.privacy, refund.refund, sms.sms, staff.staff)
    for command in (database, demo, worker, mail, *groups):
        app.cli.add_command(command)


@click.group("db")
def database():
    """The tables."""


def migrations() -> Runner:
    return Runner(db, str(config.ROOT / "migrations"))


@database.command()
def migrate():
    """Bring the tables up to date."""
    with db.connection_context():
        applied = migrations().up()
    click.echo(f"Applied: {', '.join(applied)}." if applied else "The tables are up to date.")


@database.command()
def status():
    """List the migrations; exits 1 when one is pending."""
    with db.connection_context():
        rows = migrations().status()
    for row in rows:
        click.echo(f"{row.name}  {row.applied or 'pending'}")
    if any(row.applied is None for row in rows):
        raise SystemExit(1)


@click.group()
def demo():
    """The demo world."""


@demo.command()
def load():
    """Load the demo world once; a second time it is there already."""
    import demo_world

    if config.ENV == "production":
        raise click.ClickException("The demo world is not for production.")
    with db.connection_context():
        click.echo(demo_world.load(utcnow()))


@click.command()
def worker():
    """Send what is due, ask the bank for what is open, end what has lapsed; until stopped."""
    import jobs

    jobs.work()


@click.group()
def mail():
    """The outbox."""


@mail.command("list")
@click.option("--state", default="handed", show_default=True, help="due, handed, sent or failed")
def list_mail(state):
    """List mails of a state. `handed` ones may or may not have arrived: the worker died, or the server fell
    silent, while it took them."""
    from models.outbox import Mail

    with db.connection_context():
        for row in Mail.select().where(Mail.state == state).order_by(Mail.id):
            click.echo(f"{row.id}  {row.kind}  {row.order.number if row.order else '-'}  {row.trouble}")


@mail.command()
@click.argument("mail_id", type=int)
def resend(mail_id):
    """Send a mail again that was handed over or failed."""
    from models.outbox import Mail

    with db.connection_context():
        changed = (
            Mail.update(state="due", due_at=utcnow(), tries=0)
            .where(Mail.id == mail_id, Mail.state.in_(("handed", "failed")))
            .execute()
        )
    if not changed:
        raise click.ClickException(f"There is no mail {mail_id} that was handed over or failed.")
    click.echo(f"Mail {mail_id} is due again.")


def data_file(name: str) -> Path:
    return config.ROOT / "data" / name
