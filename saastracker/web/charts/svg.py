"""Elements of SVG as escaped markup."""

from markupsafe import Markup, escape


def element(name: str, *content: str, **attributes: object) -> Markup:
    """`<name …>content</name>`; `class_` is `class`, `aria_label` is `aria-label`, None leaves one out."""
    pairs = [
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    ]
    # Markup.format takes ten times as long, and a page has thousands of elements.
    return Markup(f"<{name}{''.join(pairs)}>{''.join(map(escape, content))}</{name}>")  # noqa: S704  # values are escaped above


def percent(share: float) -> str:
    """A place or width as SVG takes it, from a fraction of 1."""
    return f"{share * 100:.2f}%"


def stretched(height: float, *content: str) -> Markup:
    """The inner drawing for paths: 1000 units wide, as wide as its parent."""
    return element(
        "svg",
        *content,
        viewBox=f"0 0 1000 {height:g}",
        preserveAspectRatio="none",
        width="100%",
        height=f"{height:g}",
        overflow="visible",
        aria_hidden="true",
    )
