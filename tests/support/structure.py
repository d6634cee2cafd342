"""What of WCAG 2.1 AA can be seen in the source of a page and in the tokens of its style sheet, without a browser."""

import re
from collections.abc import Iterator
from itertools import pairwise

from tests.support.browsing import Page

LANDMARKS = ("header", "main", "footer")
FIELDS = ("select", "textarea")


def faults(page: Page) -> list[str]:
    """Every fault of a page's structure in words; empty for a good page."""
    return [*_document(page), *_headings(page), *_fields(page), *_tables(page), *_names(page), *_style(page)]


def _document(page: Page) -> Iterator[str]:
    if page.all("html")[0][0].get("lang") not in ("fi", "sv", "en"):
        yield "the page does not say its language"
    if not page.source.lstrip().lower().startswith("<!doctype html>"):
        yield "no doctype"
    if len(page.all("title")) != 1 or len(page.all("title")[0][1]) < 10:
        yield "no title that says what the page is"
    viewport = page.all("meta", name="viewport")
    if not viewport or "user-scalable" in viewport[0][0]["content"] or "maximum-scale" in viewport[0][0]["content"]:
        yield "the page cannot be enlarged"
    for one in LANDMARKS:
        if len(page.all(one)) != 1:
            yield f"not one {one}"
    first_link = page.all("a")[0][0]["href"]
    if first_link.removeprefix("#") != page.all("main")[0][0].get("id"):
        yield "the first link does not lead to the content"
    ids = [attrs["id"] for _, attrs, _ in page.elements if "id" in attrs]
    if len(set(ids)) != len(ids):
        yield "an id stands twice"
    for name, attrs, _ in page.elements:
        named = [attrs[one] for one in ("aria-labelledby", "aria-describedby", "for") if one in attrs]
        if missing := [one for one in named if one not in ids]:
            yield f"<{name}> points at what is not there: {missing}"


def _headings(page: Page) -> Iterator[str]:
    levels = [int(name[1]) for name, _, _ in page.elements if re.fullmatch("h[1-6]", name)]
    if levels.count(1) != 1 or levels[0] != 1:
        yield "not one first heading"
    for above, below in pairwise(levels):
        if below > above + 1:
            yield f"a heading of level {below} right below one of level {above}"


def _fields(page: Page) -> Iterator[str]:
    labelled = {attrs.get("for") for attrs, _ in page.all("label")}
    for name, attrs, _ in page.elements:
        is_field = name in FIELDS or (name == "input" and attrs.get("type") not in ("hidden", "submit"))
        if is_field and attrs.get("id") not in labelled:
            yield f"<{name}> without a label"


def _tables(page: Page) -> Iterator[str]:
    if len(page.all("caption")) != len(page.all("table")) or not all(text for _, text in page.all("caption")):
        yield "a table without a caption"
    roles = {"table": "table", "thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}
    for name, attrs, _ in page.elements:
        if name == "th" and (attrs.get("scope"), attrs.get("role")) not in (
            ("col", "columnheader"),
            ("row", "rowheader"),
        ):
            yield "a head of a table without scope and role"
        if name in roles and attrs.get("role") != roles[name]:
            yield f"<{name}> that a phone's style would rob of its role"
        if name == "td" and not attrs.get("data-label"):
            yield "a cell that has no name on a phone"


def _names(page: Page) -> Iterator[str]:
    for name in ("a", "button", "option", "th", "label"):
        if not all(text for _, text in page.all(name)):
            yield f"<{name}> without a name"
    if not all(attrs.get("aria-label") or attrs.get("aria-labelledby") for attrs, _ in page.all("nav")):
        yield "a navigation without a name"


def _style(page: Page) -> Iterator[str]:
    for name, attrs, _ in page.elements:
        if name == "script" or any(one == "style" or one.startswith("on") for one in attrs):
            yield f"<{name}> has script or style of its own"
        address = attrs.get("src") or (attrs.get("href", "") if name == "link" else "")
        if address and not address.startswith("/pages/static/"):
            yield f"<{name}> loads from elsewhere: {address}"


def tokens(css: str) -> dict[str, str]:
    """The colours that a style sheet names, `#rrggbb`."""
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6});", css))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2.1 defines it, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
