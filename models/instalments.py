"""Instalments on the bill: interest-free parts that add up to the price (PAY-3). Pure, without a database."""

PARTS = (1, 6, 12, 24)


def split(price: int, parts: int) -> list[int]:
    """`price` in `parts` amounts, minor units: they add up to it, and differ by at most one minor unit (PAY-3).

    The larger ones come first. Raises ValueError for a number of parts that is not offered, and for a price
    below zero.
    """
    if parts not in PARTS:
        raise ValueError(f"instalments are {', '.join(map(str, PARTS))}, not {parts!r}")
    if price < 0:
        raise ValueError(f"a price is not below zero: {price}")
    each, left = divmod(price, parts)
    return [each + 1] * left + [each] * (parts - left)
