"""What the suite wants its named tools, resources and prompts to answer. Constant, as the suite prescribes it."""

from typing import Any

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
SCHEMA_2020_12 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
Block = dict[str, Any]


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def image() -> Block:
    return {"type": "image", "data": PNG, "mimeType": "image/png"}


def resource(uri: str, mime: str, words: str) -> Block:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime, "text": words}}


TOOLS: dict[str, dict[str, Any]] = {
    "test_simple_text": {"content": [text("This is a simple text response for testing.")]},
    "test_image_content": {"content": [image()]},
    "test_audio_content": {"content": [{"type": "audio", "data": WAV, "mimeType": "audio/wav"}]},
    "test_embedded_resource": {
        "content": [
            resource(
                "test://embedded-resource", "text/plain", "This is an embedded resource content."
            )
        ]
    },
    "test_multiple_content_types": {
        "content": [
            text("Multiple content types test:"),
            image(),
            resource(
                "test://mixed-content-resource", "application/json", '{"test":"data","value":123}'
            ),
        ]
    },
    "test_error_handling": {
        "content": [text("This tool intentionally returns an error for testing")],
        "isError": True,
    },
    # What these three would report on the way needs a stream; the answer itself does not.
    "test_tool_with_logging": {"content": [text("Tool with logging executed successfully")]},
    "test_tool_with_progress": {"content": [text("Tool with progress executed successfully")]},
    "test_streaming_elicitation": {"content": [text("Streaming complete")]},
    "test_logging_tool": {"content": [text("Logging evaluated")]},
    "json_schema_2020_12_tool": {"content": [text("Schema preserved")]},
}
RESOURCES: dict[str, dict[str, Any]] = {
    "test://static-text": {
        "mimeType": "text/plain",
        "text": "This is the content of the static text resource.",
    },
    "test://static-binary": {"mimeType": "image/png", "blob": PNG},
}
TEMPLATE = "test://template/{id}/data"
PROMPTS: dict[str, tuple[str, ...]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    "test_input_required_result_prompt": (),
}
"""The names of their arguments; all are required."""


def messages(name: str, given: dict[str, str]) -> list[Block]:
    """The messages of a prompt that asks nothing back."""
    if name == "test_simple_prompt":
        return [text("This is a simple prompt for testing.")]
    if name == "test_prompt_with_arguments":
        return [text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'")]
    if name == "test_prompt_with_image":
        return [image(), text("Please analyze the image above.")]
    embedded = resource(
        given["resourceUri"], "text/plain", "Embedded resource content for testing."
    )
    return [embedded, text("Please process the embedded resource above.")]
