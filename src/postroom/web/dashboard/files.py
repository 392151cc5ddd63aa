"""What was built, and sending it."""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from postroom.web.dashboard import headers
from postroom.web.dashboard.missing import PAGE

DIST = Path(__file__).parent / "dist"
NONCE = "NONCE_OF_THE_PAGE"
"""What `ui/index.html` has in its place."""
PACKED = {"br": ".br", "gzip": ".gz"}
"""Encodings a file may be kept in besides, the best first, with the ends of their names."""
# Not those of the machine: they differ.
_TYPES = mimetypes.MimeTypes()
_TYPES.add_type("text/javascript", ".js")
_TYPES.add_type("font/woff2", ".woff2")
_TYPES.add_type("application/manifest+json", ".webmanifest")


@dataclass(frozen=True, slots=True)
class Files:
    """`index` is the page with NONCE in it, `paths` the other files: "assets/index-3f2a.js" -> where it lies."""

    index: str
    paths: dict[str, Path]

    @classmethod
    def read(cls, folder: Path = DIST) -> Files | None:
        """None if nothing was built."""
        index = folder / "index.html"
        if not index.is_file():
            return None
        paths = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
        del paths["index.html"]
        return cls(index.read_text("utf-8"), paths)


class Built:
    """What is there now: whoever builds it anew need not start Postroom anew."""

    def __init__(self, folder: Path = DIST) -> None:
        self._folder = folder
        self._written = 0
        self._files: Files | None = None

    def files(self) -> Files | None:
        """Looks at one file's time; reads the folder when that has changed."""
        try:
            written = (self._folder / "index.html").stat().st_mtime_ns
        except OSError:
            written = 0
        if written != self._written:
            self._written, self._files = written, Files.read(self._folder)
        return self._files


def router(built: Built) -> APIRouter:
    """Answers every GET that nothing before it has answered."""
    routes = APIRouter()

    @routes.get("/{path:path}", include_in_schema=False)
    async def show(path: str, request: Request) -> Response:
        files = built.files()
        if files is not None and path in files.paths:
            return _file(files, path, request.headers.get("accept-encoding", ""))
        if not _is_page(path, request.headers.get("accept", "")):
            raise HTTPException(404)
        nonce = secrets.token_urlsafe(16)
        if files is None:
            return HTMLResponse(PAGE.format(nonce=nonce), headers=headers.page(nonce))
        return HTMLResponse(files.index.replace(NONCE, nonce), headers=headers.page(nonce))

    return routes


def _is_page(path: str, accept: str) -> bool:
    """Whether a browser opens this as a page: it asks for HTML, and the name is none of a file."""
    return "text/html" in accept and "." not in path.rpartition("/")[2] and not path.startswith("assets/")


def _file(files: Files, path: str, accept_encoding: str) -> Response:
    own = headers.ASSET if path.startswith("assets/") else {**headers.ALWAYS, "cache-control": "no-cache"}
    sent = {**own, "vary": "accept-encoding"}
    accepted = {coding.partition(";")[0].strip() for coding in accept_encoding.lower().split(",")}
    found = files.paths[path]
    for coding, ending in PACKED.items():
        if coding in accepted and path + ending in files.paths:
            found, sent["content-encoding"] = files.paths[path + ending], coding
            break
    kind = _TYPES.guess_type(path)[0] or "application/octet-stream"
    return FileResponse(found, headers=sent, media_type=kind)
