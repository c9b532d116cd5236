"""The built-in formats: the mappings of this folder, one a provider."""

from functools import cache

from contactctl.responses.formats.envelopes import load_yaml
from contactctl.responses.formats.mapping import Format, FormatSource, compile_format

PROVIDERS = ("ses", "sendgrid", "postmark", "mailgun", "sparkpost", "mailjet", "brevo")


@cache
def provider_formats() -> tuple[Format, ...]:
    """The providers' formats, compiled once."""
    return tuple(compile_format(_source(name)) for name in PROVIDERS)


def _source(name: str) -> FormatSource:
    return FormatSource(name, load_yaml(f"{name}.yaml"), f"{name}.yaml")
