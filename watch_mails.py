"""What the mails about a wish to be told say; mails.py writes them out (PRV-2)."""

from models.drawing import picture_path
from models.order import storage_label
from models.outbox import WATCH_KINDS, Mail
from models.watch import Watch

KINDS = WATCH_KINDS


def context(mail: Mail, language: str, root: str, pictures) -> dict:
    """What the templates of mail/watch_…/ are given; `root` is the shop's address in the mail's language.

    Each mail has the link that ends its watch, and no word that a stranger could have put into it.
    """
    watch = Watch.with_device().where(Watch.id == mail.data["watch"]).get()
    variant, device = watch.variant, watch.variant.device
    token = watch.confirm_token if mail.kind == "watch_confirm" else None
    return {
        "about_order": False,
        "device": device.full_name(language),
        "details": ", ".join(
            part
            for part in (variant.colour(language), storage_label(variant.storage_gb) if variant.storage_gb else "")
            if part
        ),
        "kind": watch.kind,
        "cid": pictures.of(picture_path(device, variant, "pair")),
        "at": mail.written_at,
        "until": watch.expires_at,
        "cost": mail.data.get("cost"),
        "before": watch.price,
        "is_private": watch.segment == "private",
        # The last piece may be gone by the time the mail leaves.
        "in_stock": variant.stock > 0,
        "device_url": f"{root}/pajisja/{device.slug}?ngjyra={variant.colour_code}"
        + (f"&memoria={variant.storage_gb}" if variant.storage_gb else ""),
        "link_url": f"{root}/njoftime/konfirmimi/{token}",
        "stop_url": f"{root}/njoftime/ndal/{watch.stop_token}",
    }
