"""A price list of as many devices as a measurement wants: invented, varied, and the same every time."""

import csv
import random
from collections.abc import Callable, Iterable

_BRANDS = """
    Samsung Apple Xiaomi Google Motorola Honor Nothing OnePlus realme Nokia Sony OPPO Vivo Huawei Asus Tecno
    Infinix Lenovo Fairphone TCL ZTE Anker Baseus Belkin Ugreen JBL
"""
_LINES = """
    Galaxy Nova Pixel Edge Magic Reno Nord Find Mate Zen Spark Hot Legion Pure Axon Prime Civi Neo Razr Moto
    Xperia Aura Vega Orion Lyra Atlas Comet Delta Echo Flux Gamma Helix Ion Juno Kappa Luna Mira Nexa Onyx
    Pulse Quark Rune Sigma Terra Umbra Vento Wave Xeno Yara Zeta
"""
_ENDS = ("", "", "", " Pro", " Pro Max", " Plus", " Ultra", " Lite", " FE", " mini", " Neo", " 5G")
_GOODS = (
    # sq, mk, en, drawing
    ("Këllëf", "Футрола", "Case", "case"),
    ("Karikues", "Полнач", "Charger", "charger"),
    ("Kufje", "Слушалки", "Earbuds", "earbuds"),
    ("Orë", "Часовник", "Watch", "watch"),
    ("Bateri e jashtme", "Преносна батерија", "Power bank", "powerbank"),
    ("Kabllo USB-C", "Кабел USB-C", "USB-C cable", "cable"),
)
_COLOURS = (
    # sq, mk, en, hex, family
    ("E zezë", "Црна", "Black", "#2c2c2f", "black"),
    ("E bardhë", "Бела", "White", "#efeeec", "white"),
    ("Gri", "Сива", "Grey", "#8a8d91", "grey"),
    ("Argjend", "Сребрена", "Silver", "#c9cbcf", "silver"),
    ("Blu", "Сина", "Blue", "#3c5a8a", "blue"),
    ("E gjelbër", "Зелена", "Green", "#4f7357", "green"),
    ("E kuqe", "Црвена", "Red", "#a8323a", "red"),
    ("Rozë", "Розова", "Pink", "#e6b8c2", "pink"),
    ("Vjollcë", "Виолетова", "Purple", "#7d6b9e", "purple"),
    ("E verdhë", "Жолта", "Yellow", "#e7cf6a", "yellow"),
    ("Portokalli", "Портокалова", "Orange", "#d9772f", "orange"),
    ("E artë", "Златна", "Gold", "#d8c09a", "gold"),
)
_CHIPS = ("Snapdragon 8 Elite", "Snapdragon 7 Gen 3", "Dimensity 7300", "Dimensity 9400", "Exynos 1580", "Tensor G4")
_WALLPAPERS = ("#dff2ff #5aa0d8 #173a66", "#ecdcff #9b72d6 #2f1a5e", "#ffe1c7 #f0764f #4a1740")
_CAMERAS = {
    "phone": ("tri", "strip", "duo", "pro", "bar", "quad", "ring", "solo"),
    "tablet": ("one", "two"),
    "case": ("tri", "duo", "bar", "solo"),
    "watch": ("round", "square"),
}
_HEADER = """
    sku kind brand slug name_sq name_mk name_en released popularity warranty_months colour_sq colour_mk
    colour_en colour_hex colour_family storage_gb ram_gb price stock screen_in screen_tech screen_px
    refresh_hz chipset rear_mp front_mp battery_mah charging_w network sim os os_version size_mm weight_g
    water bluetooth in_box draw_kind draw_camera draw_hole draw_screen fits promo_percent promo_segment
    gift_sq gift_mk gift_en gift_stock
"""


def write(
    count: int, path, tariffs: Iterable[str] = (), progress: Callable[[int], None] = lambda written: None
) -> int:
    """Write a price list of `count` devices to `path`, with prices for these tariff codes; returns its rows.

    `progress` is told how many devices are written.
    """
    chance = random.Random(50_777)
    columns = [f"{contract}:{code}" for contract in ("besnik24", "new_number") for code in tariffs]
    rows = 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [*_HEADER.split(), *columns], restval="", lineterminator="\n")
        table.writeheader()
        for number in range(count):
            for row in _device(number, chance):
                if row["kind"] != "accessory":
                    row |= {
                        column: row["price"] * (70 - 4 * place) // 100 // 24 * 24
                        for place, column in enumerate(columns)
                    }
                table.writerow(row)
                rows += 1
            if number % 100 == 99:
                progress(number + 1)
    progress(count)
    return rows


def _device(number, chance):
    kind = chance.choices(("phone", "tablet", "accessory"), (60, 10, 30))[0]
    brand, line = chance.choice(_BRANDS.split()), chance.choice(_LINES.split())
    # The number makes every name, slug and SKU its own.
    name = f"{line} {chance.choice('ABCEGMNPSTVXZ')}{number}{chance.choice(_ENDS)}"
    device = {
        "kind": kind,
        "brand": brand,
        "slug": f"{brand}-{name}".lower().replace(" ", "-"),
        "released": f"{chance.randint(2022, 2026)}-{chance.randint(1, 12):02d}",
        "popularity": chance.randint(0, 1000),
        "warranty_months": chance.choice((12, 24)),
        "bluetooth": chance.choice(("5.2", "5.3", "5.4")),
        "weight_g": chance.randint(30, 640),
    }
    if kind == "accessory":
        sq, mk, en, drawn = chance.choice(_GOODS)
        device |= {"name_sq": f"{sq} {brand} {name}", "name_mk": f"{mk} {brand} {name}", "draw_kind": drawn}
        device |= {"name_en": f"{en} {brand} {name}", "fits": chance.choice(("kind:phone", f"brand:{brand}", ""))}
        storages, base = ((None, None),), chance.randint(5, 90) * 100 - 10
    else:
        apple = brand == "Apple"
        system = ("iOS" if kind == "phone" else "iPadOS") if apple else "Android"
        device |= dict.fromkeys(("name_sq", "name_mk", "name_en"), name)
        device |= {
            "screen_in": chance.choice((6.1, 6.3, 6.7, 6.8) if kind == "phone" else (8.7, 10.9, 11, 13)),
            "screen_tech": chance.choice(("AMOLED", "OLED", "IPS LCD")),
            "screen_px": chance.choice(("1080x2340", "1220x2712", "1440x3120")),
            "refresh_hz": chance.choice((60, 90, 120, 144)),
            "chipset": chance.choice(_CHIPS),
            "rear_mp": chance.choice(("50", "50+8", "50+12+10", "200+50+10+10")),
            "front_mp": chance.choice((8, 12, 32)),
            "battery_mah": chance.randrange(3_500, 7_500, 50),
            "charging_w": chance.choice((20, 25, 33, 45, 67, 120)),
            "network": chance.choice(("5G", "5G", "5G", "4G")),
            "sim": "nano-SIM+eSIM",
            "os": system,
            "os_version": chance.choice(("14", "15", "16")),
            "size_mm": "160.1x74.4x8.2",
            "water": chance.choice(("", "IP54", "IP68")),
            "in_box": f"{kind}+usb-c-cable",
            "draw_kind": kind,
            "draw_hole": chance.choice(("dot", "island", "drop")),
            "draw_screen": chance.choice(_WALLPAPERS),
        }
        storages = chance.choice((((128, 8),), ((128, 8), (256, 8)), ((256, 12), (512, 12))))
        base = chance.randint(70, 1300) * 100 - 10
    if device["draw_kind"] in _CAMERAS:
        device["draw_camera"] = chance.choice(_CAMERAS[device["draw_kind"]])
    if chance.random() < 0.05:
        device |= {"gift_sq": "Këllëf", "gift_mk": "Футрола", "gift_en": "Case", "gift_stock": 40}
    promotion = {}
    if chance.random() < 0.12:
        promotion = {
            "promo_percent": chance.choice((5, 10, 15, 20)),
            "promo_segment": chance.choice(("all", "private")),
        }
    for sq, mk, en, shade, family in chance.sample(_COLOURS, chance.choice((1, 2, 2, 3))):
        for storage, memory in storages:
            row = device | promotion
            row |= {"colour_sq": sq, "colour_mk": mk, "colour_en": en, "colour_hex": shade, "colour_family": family}
            row |= {
                "sku": f"SYN-{number}-{family.upper()}{f'-{storage}' if storage else ''}",
                "storage_gb": storage,
                "ram_gb": memory,
                "price": base + (storage or 0) // 128 * 2_000,
                "stock": chance.choice((0, 3, 12, 40, 90)),
            }
            yield row
