"""Types of fields in answers, with the limits that the reference tells.

They are not checked when an answer is made: one that is longer than we thought is better than none. The tests check
them. What comes in has its limits as pydantic's own words (`max_length`), which are.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from postroom.web.api.json_out import Timestamp


def limited(**words: Any) -> Any:
    """The words of JSON Schema for a type or field: `limited(maxLength=24)`."""
    return Field(json_schema_extra=words)


ConfigId = Annotated[str, limited(maxLength=16)]
"""Of domains, templates ...; "" where there is none."""
MailId = Annotated[str, limited(maxLength=24)]
"""Of messages, emails, events ..."""
AddressText = Annotated[str, limited(maxLength=320)]
"""Mail that came by SMTP may have longer local parts than the API takes."""
DomainName = Annotated[str, limited(maxLength=253)]
Word = Annotated[str, limited(maxLength=255)]
"""A name, a subject, a short sentence."""
Line = Annotated[str, limited(maxLength=998)]
"""As long as a header field may be."""
Sentence = Annotated[str, limited(maxLength=10_000)]
"""Told to people, and may quote what they sent."""
Content = Annotated[str, limited(maxLength=50 * 1024 * 1024)]
Url = Annotated[str, limited(maxLength=8192)]
Count = Annotated[int, limited(minimum=0, maximum=2**53 - 1)]
"""Up to what every client's JSON reads exactly."""
CreatedAt = Annotated[Timestamp, Field(description="When it came to be, in UTC.")]
UpdatedAt = Annotated[Timestamp, Field(description="When it changed last, in UTC.")]
