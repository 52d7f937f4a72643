"""What search engines read beside a page's words: schema.org data as JSON-LD.

Each function makes one thing of a page, as plain values; `script` writes them down. Nothing stands here that the page
does not say: no reviews, no numbers that the price list has not. A block of data is no script, so the content policy
lets it be as it is.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup

import config
import language
from language import prefix_of
from models.catalogue import Device
from models.choice import Choice, Offer
from models.money import MINOR
from models.order import storage_label
from views.help_words import Question
from views.words import url

_SCHEMA = "https://schema.org/"
_SLUG_OF_CARD = re.compile(r'"slug": ?"([a-z0-9-]+)"')
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# What would end the block, or be read as markup, in the middle of a text.
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def written(thing) -> str:
    """`thing` as JSON that can stand in a page."""
    text = json.dumps(thing, ensure_ascii=False, separators=(",", ":"))
    for sign, escaped in _UNSAFE.items():
        if sign in text:
            text = text.replace(sign, escaped)
    return text


def script(*things: dict | str) -> Markup:
    """A block of data about `things`; a text is one that was written down before."""
    graph = ",".join(thing if isinstance(thing, str) else written(thing) for thing in things)
    block = f'<script type="application/ld+json">{{"@context":"https://schema.org","@graph":[{graph}]}}</script>'
    return Markup(block)  # noqa: S704 (written() escapes what could end it)


def address(path: str, code: str | None = None) -> str:
    """The whole address of a path without a language, in the language of the page or in `code`."""
    return f"{config.BASE_URL}{prefix_of(code or language.current())}{path}"


def decimal(amount: int) -> str:
    """Minor units as machines read them: 4998000 → "49980.00"."""
    whole, part = divmod(amount, MINOR)
    return f"{whole}.{part:02d}"


# The shop


def shop_id() -> str:
    return f"{config.BASE_URL}/#dyqani"


def shop(logo: str) -> dict:
    """The shop itself; `logo` is the path of its mark."""
    return {
        "@type": "OnlineStore",
        "@id": shop_id(),
        "name": config.BRAND,
        "url": address("/"),
        "logo": config.BASE_URL + logo,
        "email": config.CONTACT_EMAIL,
        "contactPoint": {
            "@type": "ContactPoint",
            "contactType": "customer service",
            "telephone": config.CONTACT_PHONE,
            "email": config.CONTACT_EMAIL,
            "areaServed": config.COUNTRY,
            "availableLanguage": list(config.LANGUAGES),
        },
        "hasMerchantReturnPolicy": returns(),
    }


def website() -> dict:
    """The site with its search."""
    return {
        "@type": "WebSite",
        "@id": f"{config.BASE_URL}/#faqja",
        "url": address("/"),
        "name": config.BRAND,
        "inLanguage": language.current(),
        "publisher": {"@id": shop_id()},
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": address("/kerko") + "?q={search_term_string}"},
            "query-input": "required name=search_term_string",
        },
    }


def breadcrumbs(steps: Iterable[tuple[str, str]]) -> dict:
    """The way to a page: (name, path without a language); the last one is the page itself."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": str(name), "item": address(path)}
            for place, (name, path) in enumerate(steps, 1)
        ],
    }


def item_list(paths: Iterable[str]) -> str:
    """The pages that a list leads to, written down; `paths` must need no escaping, as those of devices."""
    root = address("")
    items = ",".join(
        [f'{{"@type":"ListItem","position":{place},"url":"{root}{path}"}}' for place, path in enumerate(paths, 1)]
    )
    return f'{{"@type":"ItemList","itemListElement":[{items}]}}'


def questions(asked: Iterable[Question]) -> dict:
    """Questions of the help centre with their answers."""
    return {
        "@type": "FAQPage",
        "mainEntity": [
            {
                "@type": "Question",
                "name": one.ask,
                "acceptedAnswer": {"@type": "Answer", "text": " ".join(one.answer)},
            }
            for one in asked
        ],
    }


def store(shop, code: str) -> dict:
    """One of the operator's shops with its hours (AFT-5)."""
    name = f"{config.BRAND}, {shop.place(code)}"
    found = {
        "@type": "MobilePhoneStore",
        "name": name,
        "parentOrganization": {"@id": shop_id()},
        "address": {
            "@type": "PostalAddress",
            "streetAddress": shop.street(code),
            "postalCode": shop.postal_code,
            "addressLocality": shop.place(code),
            "addressCountry": config.COUNTRY,
        },
        "telephone": shop.phone or config.CONTACT_PHONE,
        "url": address("/dyqanet"),
    }
    hours = [
        {"@type": "OpeningHoursSpecification", "dayOfWeek": list(days), "opens": opens, "closes": closes}
        for days, text in ((_DAYS[:5], shop.weekdays), (_DAYS[5:6], shop.saturday), (_DAYS[6:], shop.sunday))
        for opens, dash, closes in (text.replace(" ", "").partition("–"),)
        if dash
    ]
    if hours:
        found["openingHoursSpecification"] = hours
    return found


# Devices


def returns() -> dict:
    """How a purchase is withdrawn from: unopened, in time, to a shop (AFT-3)."""
    return {
        "@type": "MerchantReturnPolicy",
        "@id": f"{config.BASE_URL}/#kthimi",
        "applicableCountry": config.COUNTRY,
        "returnPolicyCategory": f"{_SCHEMA}MerchantReturnFiniteReturnWindow",
        "merchantReturnDays": config.WITHDRAWAL_DAYS,
        "itemCondition": f"{_SCHEMA}NewCondition",
        "refundType": f"{_SCHEMA}FullRefund",
        "merchantReturnLink": address("/kushtet"),
    }


def delivery() -> dict:
    """What delivery costs and how long it takes (DLV-1, DLV-2): the promise is for all of it together."""
    return {
        "@type": "OfferShippingDetails",
        "@id": f"{config.BASE_URL}/#dergesa",
        "shippingRate": {"@type": "MonetaryAmount", "value": "0.00", "currency": config.CURRENCY},
        "shippingDestination": {"@type": "DefinedRegion", "addressCountry": config.COUNTRY},
        "deliveryTime": {
            "@type": "ShippingDeliveryTime",
            "businessDays": {
                "@type": "OpeningHoursSpecification",
                "dayOfWeek": [_SCHEMA + day for day in _DAYS[:6]],
            },
            "transitTime": {
                "@type": "QuantitativeValue",
                "minValue": 1,
                "maxValue": config.DELIVERY_DAYS,
                "unitCode": "DAY",
            },
        },
    }


@lru_cache(maxsize=8)
def _terms(code: str) -> tuple[str, str]:
    """Returns and delivery in the page's language, written down once."""
    return written(returns()), written(delivery())


def device(choice: Choice, crumbs: dict, summary: str, picture) -> Markup:
    """A device's page: every variant with what it costs a guest without a contract, and the way to the page.

    `summary` is the line below its name, `picture` gives the address of a variant's picture. Several variants are a
    group: they differ by colour or storage, and each has an offer of its own.
    """
    code = language.current()
    shown = choice.device
    name = shown.full_name(code)
    path = device_path(shown.slug)
    brand = {"@type": "Brand", "name": shown.brand.name}
    about = {"name": name, "url": address(path), "brand": brand}
    if summary:
        about["description"] = summary
    products = [_product(shown, offer, name, path, code, picture) for offer in choice.offers]
    if len(products) == 1:
        # Facts of the device go before those of its one variant.
        found = {**products[0], **about, "@type": "Product"}
    else:
        varies = [
            _SCHEMA + what
            for what, values in (
                ("color", {one.colour for one in choice.offers}),
                ("size", {one.storage for one in choice.offers}),
            )
            if len(values) > 1
        ]
        found = {
            "@type": "ProductGroup",
            **about,
            "productGroupID": shown.slug,
            "variesBy": varies,
            "hasVariant": products,
        }
    return script(found, crumbs, *_terms(code))


def _product(shown: Device, offer: Offer, name: str, path: str, code: str, picture) -> dict:
    variant, price = offer.variant, offer.price
    colour = variant.colour(code)
    size = storage_label(variant.storage_gb) if variant.storage_gb else ""
    offered = {
        "@type": "Offer",
        "url": address(variant_path(path, variant)),
        "price": decimal(price.now),
        "priceCurrency": config.CURRENCY,
        "availability": _SCHEMA + ("InStock" if offer.in_stock else "OutOfStock"),
        "itemCondition": f"{_SCHEMA}NewCondition",
        "seller": {"@id": shop_id()},
        "shippingDetails": {"@id": f"{config.BASE_URL}/#dergesa"},
        "hasMerchantReturnPolicy": {"@id": f"{config.BASE_URL}/#kthimi"},
    }
    if price.before:
        offered["priceSpecification"] = {
            "@type": "UnitPriceSpecification",
            "priceType": f"{_SCHEMA}StrikethroughPrice",
            "price": decimal(price.before),
            "priceCurrency": config.CURRENCY,
        }
        if price.until is not None:
            offered["priceValidUntil"] = price.until.strftime("%Y-%m-%dT%H:%M:%SZ")
    found = {
        "@type": "Product",
        "name": ", ".join(part for part in (name, colour, size) if part),
        "sku": variant.sku,
        "image": picture(shown, variant),
        "offers": offered,
    }
    if colour:
        found["color"] = colour
    if size:
        found["size"] = size
    return found


def device_path(slug: str) -> str:
    return f"/pajisja/{slug}"


def path_of_card(card: str) -> str:
    """The path of the device whose card in a list has these facts."""
    found = _SLUG_OF_CARD.search(card)
    return device_path(found[1] if found else "")


def variant_path(path: str, variant) -> str:
    """Where a variant is shown with its price, as views.forms.device.address writes it."""
    storage = f"&memoria={variant.storage_gb}" if variant.storage_gb else ""
    return f"{path}?ngjyra={variant.colour_code}{storage}"


def home_crumb() -> tuple[str, str]:
    return config.BRAND, "/"


def path_of(endpoint: str, **values) -> str:
    """The path of a page of the shop, without a language."""
    return url(endpoint, **values).removeprefix(prefix_of(language.current())) or "/"
