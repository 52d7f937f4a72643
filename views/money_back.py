"""What goes back of an ended order, in words; for its page and for the desk (PAY-9)."""

from models.money_back import Part, money_back_of
from views.forms import lazy_gettext
from views.templating import den, moment, phone_text
from views.words import gettext

STATES = {
    ("card", "due"): lazy_gettext("te banka"),
    ("card", "done"): lazy_gettext("u kthye"),
    ("card", "refused"): lazy_gettext("po e shqyrtojmë"),
    ("points", "done"): lazy_gettext("u kthyen"),
    ("points", "lost"): lazy_gettext("humbën"),
    ("bill", "due"): lazy_gettext("po njoftohet"),
    ("bill", "told"): lazy_gettext("operatori u njoftua"),
    ("bill", "refused"): lazy_gettext("po e shqyrtojmë"),
}
TONES = {"done": "ok", "told": "ok", "due": "info", "refused": "warn", "lost": "bad"}


def name(part: Part) -> str:
    """What it is, and how much: "52.800 den në kartelë"."""
    if part.what == "points":
        return gettext("%(points)s në Klubin Im", points=_points(part.amount))
    if part.what == "bill":
        return gettext("%(amount)s në faturë", amount=den(part.amount))
    if part.surplus:
        return gettext("%(amount)s në kartelë, pagesë e tepërt", amount=den(part.amount))
    return gettext("%(amount)s në kartelë", amount=den(part.amount))


def told(part: Part) -> str:
    """What the shopper should know of it, in a sentence."""
    match part.what, part.state:
        case "card", "done":
            return gettext(
                "Banka e ktheu më %(moment)s; në llogari shihet brenda disa ditëve.", moment=moment(part.at)
            )
        case "card", "due":
            return gettext("E kërkuam te banka; nuk keni nevojë të bëni asgjë.")
        case "card", "refused":
            return gettext("Banka ende nuk e ka kryer. Po merremi ne; shuma nuk humbet.")
        case "points", "lost":
            return gettext("Numri ndërroi tarifë ose posedues, dhe me këtë pikët humbën.")
        case "points", _:
            return gettext(
                "U kthyen te %(number)s më %(moment)s.", number=phone_text(part.whose), moment=moment(part.at)
            )
    return gettext("Nuk faturohet për numrin %(number)s.", number=phone_text(part.whose))


def state(part: Part) -> str:
    return str(STATES[part.what, part.state])


def tone(part: Part) -> str:
    return TONES[part.state]


def _points(count: int) -> str:
    from views.club_words import points_text

    return points_text(count)


def register(app) -> None:
    """`money_back_of(order)`, and filters that say a part of it."""
    app.jinja_env.globals.update(money_back_of=money_back_of)
    app.jinja_env.filters.update(
        money_back_name=name, money_back_told=told, money_back_state=state, money_back_tone=tone
    )
