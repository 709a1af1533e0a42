"""`rubato openapi`: the OpenAPI document, as docs/openapi.json holds it."""

import sys

from rubato import __version__
from rubato.interface.openapi import as_text, document


def text_of() -> str:
    """The document of this version, for the stage that template.yaml deploys."""
    return as_text(document(__version__, "/v1"))


def openapi() -> None:
    """Print the OpenAPI document."""
    sys.stdout.write(text_of())
