"""Which channel a visit came through, from its referrer and campaign parameters."""

SEARCH = ("google.", "bing.", "duckduckgo.", "yahoo.", "ecosia.", "qwant.", "baidu.", "yandex.", "startpage.", "brave.")
SOCIAL = (
    "facebook.",
    "instagram.",
    "linkedin.",
    "lnkd.in",
    "mastodon.",
    "pinterest.",
    "reddit.",
    "t.co",
    "threads.",
    "tiktok.",
    "twitter.",
    "x.com",
    "youtube.",
    "bsky.",
    "news.ycombinator.com",
)
MAIL = ("mail.", "outlook.", "gmail.")

MEDIA = {
    **dict.fromkeys(
        ("cpc", "ppc", "paid", "paidsearch", "paid_social", "paidsocial", "display", "cpm", "banner"), "paid"
    ),
    **dict.fromkeys(("email", "e-mail", "newsletter", "mail"), "e-mail"),
    "social": "social",
}


def channel(referrer: str | None, source: str | None, medium: str | None) -> str:
    """direct, organic search, paid, social, referral, e-mail or campaign."""
    if source or medium:
        return MEDIA.get((medium or source or "").lower(), "campaign")
    if referrer is None:
        return "direct"
    host = referrer.removeprefix("www.")
    for name, hosts in (("e-mail", MAIL), ("organic search", SEARCH), ("social", SOCIAL)):
        if any(_below(host, each) for each in hosts):
            return name
    return "referral"


def _below(host: str, known: str) -> bool:
    """Whether `host` is `known` or below it; one that ends in a dot stands for all its top-level domains."""
    if known.endswith("."):
        return host.startswith(known) or f".{known}" in host
    return host == known or host.endswith(f".{known}")
