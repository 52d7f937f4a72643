"""What schema.org knows of the things in the shop's pages, and what search engines ask of each, as one table.

`faults(graph)` lists what is wrong with a page's data: an unknown thing, a property that the thing does not have, one
that is missing, a value of the wrong kind, a reference to nothing.
"""

import json
import re

SCHEMA = "https://schema.org/"
_DAY = "(Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"


def text(value) -> bool:
    return isinstance(value, str) and value.strip() == value != ""


def url(value) -> bool:
    return isinstance(value, str) and re.fullmatch(r"https?://[^\s<>\"]+", value) is not None


def number(value) -> bool:
    return isinstance(value, int) and value >= 0


def amount(value) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d+\.\d\d", value) is not None


def like(pattern: str):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def of(*types: str):
    """A thing of one of these types, or a reference to one."""
    return types


def some(check):
    """One of what `check` takes, or several."""
    return [check]


CURRENCY, COUNTRY = like("[A-Z]{3}"), like("[A-Z]{2}")
MOMENT = like(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")
LANGUAGE = like("sq|mk|en")

# Type → (what it must have, what it may have): property → check.
TYPES = {
    "OnlineStore": (
        {"name": text, "url": url, "logo": url},
        {
            "@id": url,
            "email": text,
            "contactPoint": of("ContactPoint"),
            "hasMerchantReturnPolicy": of("MerchantReturnPolicy"),
        },
    ),
    "ContactPoint": (
        {"telephone": text},
        {"contactType": text, "email": text, "areaServed": COUNTRY, "availableLanguage": some(LANGUAGE)},
    ),
    "WebSite": (
        {"name": text, "url": url},
        {"@id": url, "inLanguage": LANGUAGE, "publisher": of("OnlineStore"), "potentialAction": of("SearchAction")},
    ),
    "SearchAction": ({"target": of("EntryPoint"), "query-input": like(r"required name=\w+")}, {}),
    "EntryPoint": ({"urlTemplate": like(r"https?://\S+\{search_term_string\}")}, {}),
    "BreadcrumbList": ({"itemListElement": some(of("ListItem"))}, {}),
    "ItemList": ({"itemListElement": some(of("ListItem"))}, {}),
    "ListItem": ({"position": number}, {"name": text, "item": url, "url": url}),
    "Product": (
        {"name": text, "image": url, "offers": of("Offer"), "sku": text},
        {"url": url, "description": text, "brand": of("Brand"), "color": text, "size": text},
    ),
    "ProductGroup": (
        {
            "name": text,
            "productGroupID": text,
            "variesBy": some(like(f"{SCHEMA}(color|size)")),
            "hasVariant": some(of("Product")),
        },
        {"url": url, "description": text, "brand": of("Brand")},
    ),
    "Brand": ({"name": text}, {}),
    "Offer": (
        {
            "price": amount,
            "priceCurrency": CURRENCY,
            "availability": like(f"{SCHEMA}(InStock|OutOfStock)"),
            "url": url,
        },
        {
            "itemCondition": like(f"{SCHEMA}NewCondition"),
            "priceValidUntil": MOMENT,
            "priceSpecification": of("UnitPriceSpecification"),
            "seller": of("OnlineStore"),
            "shippingDetails": of("OfferShippingDetails"),
            "hasMerchantReturnPolicy": of("MerchantReturnPolicy"),
        },
    ),
    "UnitPriceSpecification": (
        {"price": amount, "priceCurrency": CURRENCY, "priceType": like(f"{SCHEMA}StrikethroughPrice")},
        {},
    ),
    "MerchantReturnPolicy": (
        {
            "applicableCountry": COUNTRY,
            "returnPolicyCategory": like(f"{SCHEMA}MerchantReturnFiniteReturnWindow"),
            "merchantReturnDays": number,
        },
        {
            "@id": url,
            "itemCondition": like(f"{SCHEMA}NewCondition"),
            "refundType": like(f"{SCHEMA}FullRefund"),
            "merchantReturnLink": url,
        },
    ),
    "OfferShippingDetails": (
        {
            "shippingRate": of("MonetaryAmount"),
            "shippingDestination": of("DefinedRegion"),
            "deliveryTime": of("ShippingDeliveryTime"),
        },
        {"@id": url},
    ),
    "MonetaryAmount": ({"value": amount, "currency": CURRENCY}, {}),
    "DefinedRegion": ({"addressCountry": COUNTRY}, {}),
    "ShippingDeliveryTime": (
        {"transitTime": of("QuantitativeValue")},
        {"businessDays": of("OpeningHoursSpecification")},
    ),
    "QuantitativeValue": ({"minValue": number, "maxValue": number, "unitCode": like("DAY|d")}, {}),
    "OpeningHoursSpecification": (
        {"dayOfWeek": some(like(f"({SCHEMA})?{_DAY}"))},
        {"opens": like(r"\d\d:\d\d"), "closes": like(r"\d\d:\d\d")},
    ),
    "MobilePhoneStore": (
        {"name": text, "address": of("PostalAddress"), "telephone": text},
        {
            "url": url,
            "parentOrganization": of("OnlineStore"),
            "openingHoursSpecification": some(of("OpeningHoursSpecification")),
        },
    ),
    "PostalAddress": (
        {"streetAddress": text, "addressLocality": text, "postalCode": text, "addressCountry": COUNTRY},
        {},
    ),
    "FAQPage": ({"mainEntity": some(of("Question"))}, {}),
    "Question": ({"name": text, "acceptedAnswer": of("Answer")}, {}),
    "Answer": ({"text": text}, {}),
}


def graph_of(page) -> list[dict]:
    """All things that the blocks of a page speak of."""
    blocks = [json.loads("".join(one.itertext())) for one in page.all("script", type="application/ld+json")]
    assert all(block["@context"] == SCHEMA.rstrip("/") for block in blocks)
    return [thing for block in blocks for thing in block["@graph"]]


def things(page, kind: str) -> list[dict]:
    """Those of a page's things, at any depth, that are of this type."""
    found = []

    def look(value):
        if isinstance(value, list):
            for one in value:
                look(one)
        elif isinstance(value, dict):
            if value.get("@type") == kind:
                found.append(value)
            for one in value.values():
                look(one)

    look(graph_of(page))
    return found


def faults(graph: list[dict], elsewhere: frozenset = frozenset()) -> list[str]:
    """What is wrong with a page's data; `elsewhere` are ids of things that other pages speak of."""
    known = {thing["@id"]: thing["@type"] for thing in graph if "@id" in thing and "@type" in thing}
    found: list[str] = []

    def check(value, rule, where):
        if isinstance(rule, list):
            if value == []:
                found.append(f"{where} is empty")
            for place, one in enumerate(value if isinstance(value, list) else [value]):
                check(one, rule[0], f"{where}[{place}]")
        elif isinstance(rule, tuple):
            if not isinstance(value, dict):
                found.append(f"{where} is no thing: {value!r}")
            elif set(value) == {"@id"}:
                if value["@id"] not in elsewhere and known.get(value["@id"]) not in rule:
                    found.append(f"{where} refers to nothing: {value['@id']}")
            else:
                look(value, where, rule)
        elif not rule(value):
            found.append(f"{where} cannot be {value!r}")

    def look(thing, where, expected=None):
        kind = thing.get("@type")
        if kind not in TYPES or (expected and kind not in expected):
            found.append(f"{where}: {kind} is no thing of ours here")
            return
        required, allowed = TYPES[kind]
        found.extend(f"{where}: {kind} has no {name}" for name in required if name not in thing)
        for name, value in thing.items():
            if name == "@type":
                continue
            rule = required.get(name) or allowed.get(name)
            if rule is None:
                found.append(f"{where}: {kind} knows no {name}")
            else:
                check(value, rule, f"{where}.{name}")

    for place, thing in enumerate(graph):
        look(thing, f"{place}:{thing.get('@type')}")
    return found
