"""`flask sms …`: the SMS outbox."""

import click

from commands import connected
from models.base import utcnow


@click.group()
def sms():
    """The SMS outbox."""


@sms.command("list")
@click.option("--state", default="handed", show_default=True, help="due, handed, sent, failed or withheld")
def list_sms(state):
    """List SMS of a state. `handed` ones may or may not have gone out: the worker died, or the gateway fell silent,
    while it took them."""
    from models.sms import Sms

    with connected():
        for row in Sms.select().where(Sms.state == state).order_by(Sms.id):
            click.echo(f"{row.id}  {row.kind}  {row.report or '-'}  {row.trouble}")


@sms.command()
@click.argument("sms_id", type=int)
def resend(sms_id):
    """Send an SMS again that was handed over or failed; one whose time is over is not sent."""
    from models.sms import Sms

    with connected():
        changed = (
            Sms.update(state="due", due_at=utcnow(), tries=0)
            .where(Sms.id == sms_id, Sms.state.in_(("handed", "failed")))
            .execute()
        )
    if not changed:
        raise click.ClickException(f"There is no SMS {sms_id} that was handed over or failed.")
    click.echo(f"SMS {sms_id} is due again.")
