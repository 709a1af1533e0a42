"""`rubato openapi`: the OpenAPI document, as docs/openapi.json holds it."""

import sys

from rubato import __version__


def text_of() -> str:
    """The document of this version, for the stage that template.yaml deploys."""
    # NOTE: imported here: the schemas would double the start of every other command.
    from rubato.interface.openapi import as_text, document

    return as_text(document(__version__, "/v1"))


def openapi() -> None:
    """Print the OpenAPI document."""
    sys.stdout.write(text_of())
