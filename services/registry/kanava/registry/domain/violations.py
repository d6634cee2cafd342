"""How a rule says what is wrong with an input: where, which rule, and in words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """One broken rule: `pointer` is a JSON pointer into the input, `rule` a name in snake case."""

    pointer: str
    rule: str
    detail: str

    def under(self, prefix: str) -> "Violation":
        """The same violation, its pointer seen from a larger document."""
        return Violation(f"{prefix}{self.pointer}", self.rule, self.detail)
