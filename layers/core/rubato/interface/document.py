"""Answers that are no JSON object: text of a media type of its own. The HTTP door sends `text` as the body."""

from typing import ClassVar

from pydantic import Field

from rubato.interface.wire import Output


class Document(Output):
    """Base of such answers; `media_types` are those that the action may choose from."""

    media_types: ClassVar[tuple[str, ...]] = ()

    media_type: str = Field(description="The media type of the text.")
    text: str = Field(description="The whole answer.")
    headers: dict[str, str] = Field(default={}, description="Headers beside it, by name.")
