"""Lists: the two shapes of the contract (section 1.4), with their quirks.

`Counted` knows how many there are (domains, webhooks, tokens ...); `Simple` knows only whether there is a next page
(activity, messages, recipients ...). Links carry `page` and nothing else. An endpoint declares

    page: CurrentPage                      # 25 a page unless asked otherwise
    page: Annotated[Page, page(default=10)]

asks its store for `page.limit + 1` rows from `page.offset` (or for `page.limit` and the total), and answers
`page.simple(rows)` or `page.counted(rows, total)`. Its response model is `Simple[Row]` or `Counted[Row]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from postroom.web.api.shown import Count, Url, Word, limited

T = TypeVar("T")

LEAST, MOST, DEFAULT = 10, 100, 25
MOST_PAGES = 100_000

_LIST = "https://mail.example.com/v1/messages"
_URL = f"{_LIST}?page=2"


class Links(BaseModel):
    """`last` is null where the number of pages is not known."""

    first: Url = Field(description="The first page.", examples=[_URL])
    last: Url | None = Field(description="The last page; null where it is not known.", examples=[None])
    prev: Url | None = Field(description="The page before; null on the first.", examples=[None])
    next: Url | None = Field(description="The page after; null on the last.", examples=[_URL])


class SimpleMeta(BaseModel):
    """`from` and `to` are the numbers of the first and last row here; null on an empty page."""

    current_page: Count = Field(description="The number of this page.", examples=[1])
    from_: Count | None = Field(alias="from", description="The first row here.", examples=[1])
    path: Url = Field(description="The list.", examples=[_LIST])
    per_page: Count | Word = Field(description="Rows a page; text in some lists.", examples=[25])
    to: Count | None = Field(description="The last row here.", examples=[25])


class PageLink(BaseModel):
    url: Url | None = Field(description="Null where there is none.", examples=[_URL])
    label: Word = Field(description="A number or a word, as HTML.", examples=["2"])
    active: bool = Field(description="It is this page.", examples=[False])


class CountedMeta(SimpleMeta):
    last_page: Count = Field(description="The number of the last page.", examples=[3])
    links: Annotated[list[PageLink], limited(maxItems=20)] = Field(description="Links to pages, for people.")
    total: Count = Field(description="Rows of all pages.", examples=[60])


class Simple(BaseModel, Generic[T]):
    """A page of a list whose length is not known."""

    data: Annotated[list[T], limited(maxItems=1000)] = Field(description="The rows of this page.")
    links: Links = Field(description="Other pages.")
    meta: SimpleMeta = Field(description="Which page this is.")


class Counted(BaseModel, Generic[T]):
    """A page of a list whose length is known."""

    data: Annotated[list[T], limited(maxItems=MOST)] = Field(description="The rows of this page.")
    links: Links = Field(description="Other pages.")
    meta: CountedMeta = Field(description="Which page this is, and how many there are.")


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is wanted: `number` from 1, `limit` rows each. `path` is the list's URL without its query.

    `text`: on some lists `per_page` is text when the client gave a limit.
    """

    number: int
    limit: int
    path: str
    text: bool = False

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.limit

    def simple(self, rows: Sequence[Any]) -> dict[str, Any]:
        """`rows` may hold one more than `limit`: then there is a next page."""
        shown = list(rows[: self.limit])
        more = len(rows) > self.limit
        links = self._links(last=None, following=self.number + 1 if more else None)
        return {"data": shown, "links": links, "meta": self._meta(len(shown))}

    def counted(self, rows: Sequence[Any], total: int) -> dict[str, Any]:
        last = max(-(-total // self.limit), 1)
        links = self._links(last=last, following=self.number + 1 if self.number < last else None)
        meta = self._meta(len(rows)) | {
            "last_page": last,
            "links": self._buttons(last),
            "total": total,
        }
        return {"data": list(rows), "links": links, "meta": meta}

    def _links(self, *, last: int | None, following: int | None) -> dict[str, str | None]:
        return {
            "first": self._url(1),
            "last": self._url(last) if last is not None else None,
            "prev": self._url(self.number - 1) if self.number > 1 else None,
            "next": self._url(following) if following is not None else None,
        }

    def _meta(self, rows: int) -> dict[str, Any]:
        return {
            "current_page": self.number,
            "from": self.offset + 1 if rows else None,
            "path": self.path,
            "per_page": str(self.limit) if self.text else self.limit,
            "to": self.offset + rows if rows else None,
        }

    def _buttons(self, last: int) -> list[dict[str, Any]]:
        """Previous, the pages, Next, as Laravel lists them: both ends, and three either side of this one."""
        wanted = {1, 2, last - 1, last, *range(self.number - 3, self.number + 4)}
        numbers = sorted(number for number in wanted if 1 <= number <= last)
        buttons = [self._button("&laquo; Previous", self.number - 1 if self.number > 1 else None)]
        before = 0
        for number in numbers:
            if number > before + 1:
                buttons.append(self._button("...", None))
            buttons.append(self._button(str(number), number, active=number == self.number))
            before = number
        return [*buttons, self._button("Next &raquo;", self.number + 1 if self.number < last else None)]

    def _button(self, label: str, number: int | None, *, active: bool = False) -> dict[str, Any]:
        return {"url": None if number is None else self._url(number), "label": label, "active": active}

    def _url(self, number: int) -> str:
        return f"{self.path}?page={number}"


def page(
    *,
    default: int = DEFAULT,
    least: int = LEAST,
    most: int = MOST,
    pages: int = MOST_PAGES,
    text: bool = False,
) -> Any:
    """The dependency for `page` and `limit` in the query, with the bounds of one list."""

    # As defaults: in annotations, which are text here, FastAPI would not find the bounds.
    async def read(
        request: Request,
        page: int = Query(1, ge=1, le=pages, description="Which page.", examples=[1]),
        limit: int | None = Query(
            None, ge=least, le=most, description=f"Rows a page; {default} if absent.", examples=[default]
        ),
    ) -> Page:
        path = str(request.url.replace(query="", fragment=""))
        return Page(page, limit or default, path, text=text and limit is not None)

    return Depends(read)


CurrentPage = Annotated[Page, page()]
"""The type of a list endpoint's parameter: 25 a page, 10 to 100."""
