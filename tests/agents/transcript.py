"""A session as a page of Markdown: what was called, and what was answered. What differs from run to run is masked."""

import json
import re
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client

from tests.processes import PROJECT

PAGE = Path(PROJECT) / "docs" / "mcp-transcript.md"
START, END = "<!-- the session -->\n", "<!-- the end of the session -->\n"
_MASKS = (
    (re.compile(r'("confirmation_token": )"[^"]+"'), r'\1"…"'),
    (re.compile(r'("request_id": )"[^"]+"'), r'\1"…"'),
)


@dataclass
class Transcript:
    """A client, and everything that was said with it."""

    client: Client
    parts: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.parts.append(f"{textwrap.fill(text, 120)}\n")

    async def call(self, name: str, arguments: dict[str, Any]) -> Any:
        """The parsed answer of a tool."""
        result = await self.client.call_tool(name, arguments)
        assert result.content[0].type == "text"
        answer = json.loads(result.content[0].text)
        assert result.is_error or result.structured_content == answer
        self.parts.append(
            f"Call: `{name}`\n\n{_block(arguments)}\nAnswer{' (`isError`)' if result.is_error else ''}:\n\n"
            f"{_block(answer)}"
        )
        return answer

    @property
    def text(self) -> str:
        return "\n".join(self.parts)


def _block(value: Any) -> str:
    text = json.dumps(value, indent=1, ensure_ascii=False)
    text = re.sub(r"[\[{][^\[\]{}]{0,120}[\]}]", _on_one_line, text)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return f"```json\n{text}\n```\n"


def _on_one_line(found: re.Match[str]) -> str:
    """Small objects and lists read better in a line."""
    return re.sub(r"\s*\n\s*", " ", found[0])


def written() -> str:
    """The session on the page."""
    _, start, rest = PAGE.read_text().partition(START)
    session, end, _ = rest.partition(END)
    assert start, f"{PAGE.name} lacks its marks"
    assert end, f"{PAGE.name} lacks its marks"
    return session


def write(session: str) -> None:
    before, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(before + START + session + END + rest.partition(END)[2])
