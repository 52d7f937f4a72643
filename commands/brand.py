"""`flask brand …`: what an operator asks of the brand's folder (docs/brand.md)."""

import click

import config
from face.colours import too_faint
from gateways.sms import segments


@click.group()
def brand():
    """The operator's face."""


@brand.command()
def check():
    """Say what of the brand is wrong or hard to read; exits 1 when something is.

    What cannot be shown at all, a missing colour or a text that cannot be read, ends the shop's start already.
    """
    found = [*too_faint(config.FACE), *_too_long()]
    for problem in found:
        click.echo(problem)
    face = config.FACE
    click.echo(
        f"{face.name}: {len(found)} of its colours and words need another look."
        if found
        else f"{face.name}: {', '.join(config.LANGUAGES)}; {config.CURRENCY}; colours can be read, texts are whole."
    )
    if found:
        raise SystemExit(1)


def _too_long():
    """Texts of one SMS that take two with this brand's words."""
    from language import translations

    texts = (
        "%(code)s: kodi për të hyrë në Klubi Im. Thuajani vetëm shitësit.",
        "Numri nuk është në Klubi Im. Anëtarësohuni në web ose në dyqan.",
    )
    for language in config.LANGUAGES:
        for text in texts:
            said = translations(language).gettext(text) % ({"code": "123456"} if "%(code)s" in text else {})
            if segments(said) > 1:
                yield f"SMS, {language}: takes {segments(said)} messages, and two cost twice as much: {said}"
