"""What a channel answered, in the form in which answers are compared."""

import re
from dataclasses import dataclass
from typing import Any

_FLAT = re.compile(r"^fields\.(?!\d)")


@dataclass(frozen=True)
class Answer:
    """What a channel answered: bytes, or the error object. `raw` is all that a caller can read of it."""

    body: bytes
    error: dict[str, Any] | None
    raw: str = ""
    status: int = 200

    @property
    def code(self) -> str | None:
        return None if self.error is None else self.error["code"]

    @property
    def faults(self) -> list[tuple[str, str]]:
        """`(field, code)` of what is named as wrong, as a caller who gave the fields flat knows them."""
        errors = [] if self.error is None else self.error["errors"]
        return sorted((_FLAT.sub("", item["field"]), item["code"]) for item in errors)

    @property
    def fields(self) -> list[str]:
        return [name for name, _ in self.faults]

    @property
    def comparable(self) -> Any:
        return self.body if self.error is None else (self.code, self.faults)

    @property
    def told(self) -> Any:
        """All that is said, less what belongs to one request: the same wherever parameters came as one object."""
        if self.error is None:
            return self.body
        return {name: value for name, value in self.error.items() if name != "request_id"}
