"""Whether a new version of a fact's JSON schema still serves the readers of the old one.

Old facts stay on compacted topics and in outboxes, and an older reader may meet a newer writer: so a field is
neither removed nor given another type, no new field is required, no value or event type that was once said
disappears, and no bound gets tighter. New optional fields, new event types and new values are allowed; a new value
is said only after its readers know it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]

BOUNDS = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"),
    *("minLength", "maxLength", "minItems", "maxItems"),
)


def breaks(old: Schema, new: Schema) -> list[str]:
    """What in `new` would break a reader of `old`, one sentence each with a JSON pointer; empty when nothing does."""
    return list(_Comparison(old, new).of(old, new, ""))


@dataclass(frozen=True)
class _Comparison:
    """Two whole schemas, in which the references of their nodes are followed."""

    old_root: Schema
    new_root: Schema

    def of(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """Compare two nodes at a pointer; a node of several types is compared type by type."""
        before = {_kind(one): one for one in _alternatives(old, self.old_root)}
        after = {_kind(one): one for one in _alternatives(new, self.new_root)}
        if before.keys() != after.keys():
            yield f"{at or '/'}: the type was {_named(before)} and is now {_named(after)}"
            return
        for kind, node in before.items():
            yield from _compare_values(node, after[kind], at)
            yield from _compare_bounds(node, after[kind], at)
            yield from self._of_fields(node, after[kind], at)
            yield from self._of_contents(node, after[kind], at)

    def _of_fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        fields, now = old.get("properties", {}), new.get("properties", {})
        for name in fields:
            if name not in now:
                yield f"{at}/{name}: the field is gone"
            else:
                yield from self.of(fields[name], now[name], f"{at}/{name}")
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{at}/{name}: the field is now required, and what was said before may lack it"

    def _of_contents(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        """The members of a list and the values of a mapping."""
        for inner in ("items", "additionalProperties"):
            if isinstance(old.get(inner), Mapping) and isinstance(new.get(inner), Mapping):
                yield from self.of(old[inner], new[inner], f"{at}/{inner}")


def _compare_bounds(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for rule in BOUNDS:
        if rule in new and new[rule] != old.get(rule):
            yield f"{at or '/'}: {rule} was {old.get(rule, 'free')} and is now {new[rule]}"


def _compare_values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    """A closed list of values may grow; an open one may not be closed."""
    was, now = _values(old), _values(new)
    if now is not None and (lost := [value for value in was or [] if value not in now]):
        yield f"{at or '/'}: the values {', '.join(map(str, lost))} are gone"
    elif was is None and now is not None:
        yield f"{at or '/'}: any value was allowed and now only {', '.join(map(str, now))}"


def _alternatives(node: Schema, root: Schema) -> Iterator[Schema]:
    """The node with its reference followed, or each of its alternatives."""
    if "$ref" in node:
        yield from _alternatives(_resolve(node["$ref"], root), root)
    elif "anyOf" in node or "oneOf" in node:
        for one in node.get("anyOf") or node["oneOf"]:
            yield from _alternatives(one, root)
    else:
        yield node


def _resolve(reference: str, root: Schema) -> Schema:
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    assert isinstance(found, Mapping), "a reference leads to a schema"
    return found


def _kind(node: Schema) -> str:
    """The type of a node as a reader sees it: `string`, `string(date)`, `array`, `object`, …"""
    form = node.get("format")
    return f"{node.get('type', 'any')}({form})" if form else str(node.get("type", "any"))


def _values(node: Schema) -> list[Any] | None:
    return [node["const"]] if "const" in node else node.get("enum")


def _named(alternatives: Mapping[str, Schema]) -> str:
    return " or ".join(sorted(alternatives))
