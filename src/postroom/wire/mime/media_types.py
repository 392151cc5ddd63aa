"""Attached files: the extensions that are taken, their media types, and whether the content is what its name says.

The extension decides (`mailersend-api.md` section 2.1 lists them). The content is looked at only to refuse plain lies,
a program or a picture called `invoice.pdf`; what has no clear signature is believed.
"""

from __future__ import annotations

import puremagic

_HEAD = 4096
_LEAST_SIGNATURE = 3  # octets; shorter ones stand at the start of many texts by chance

MEDIA_TYPES = {
    "txt": "text/plain",
    "log": "text/plain",
    "csv": "text/csv",
    "css": "text/css",
    "ics": "text/calendar",
    "vcf": "text/vcard",
    "xml": "application/xml",
    "jpg": "image/jpeg",
    "jpe": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "png": "image/png",
    "bmp": "image/bmp",
    "psd": "image/vnd.adobe.photoshop",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "svg": "image/svg+xml",
    "indd": "application/x-indesign",
    "ai": "application/postscript",
    "eps": "application/postscript",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "rtf": "application/rtf",
    "odt": "application/vnd.oasis.opendocument.text",
    "ott": "application/vnd.oasis.opendocument.text-template",
    "pdf": "application/pdf",
    "pub": "application/x-mspublisher",
    "pages": "application/vnd.apple.pages",
    "mobi": "application/x-mobipocket-ebook",
    "epub": "application/epub+zip",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "m4v": "video/x-m4v",
    "wma": "audio/x-ms-wma",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "aif": "audio/aiff",
    "aifc": "audio/aiff",
    "aiff": "audio/aiff",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "avi": "video/x-msvideo",
    "mkv": "video/x-matroska",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "wmv": "video/x-ms-wmv",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "numbers": "application/vnd.apple.numbers",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "pps": "application/vnd.ms-powerpoint",
    "key": "application/vnd.apple.keynote",
    "zip": "application/zip",
    "eml": "message/rfc822",
    "p7c": "application/pkcs7-mime",
    "p7m": "application/pkcs7-mime",
    "p7s": "application/pkcs7-signature",
    "pgp": "application/pgp-encrypted",
    "asc": "application/pgp-signature",
    "sig": "application/pgp-signature",
}

_PASSED_THROUGH = frozenset({"p7c", "p7m", "p7s", "pgp", "asc", "sig"})

# Which extensions a signature fits, by the extension that puremagic has for it.
_OFFICE = frozenset({"doc", "xls", "ppt", "pps", "docx", "xlsx", "pptx", "pub"})  # encrypted ones are OLE
_ZIP = _OFFICE | {"zip", "odt", "ott", "ods", "odp", "pages", "numbers", "key", "epub"}
_JPEG = frozenset({"jpg", "jpe", "jpeg"})
_TIFF = frozenset({"tif", "tiff"})
_SOUND = frozenset(
    {
        "mp3", "m4a", "m4v", "wma", "ogg", "flac", "wav", "aif", "aifc", "aiff",
        "mp4", "mov", "avi", "mkv", "mpeg", "mpg", "wmv",
    }
)  # fmt: skip
_NONE: frozenset[str] = frozenset()

_KINDS: tuple[tuple[str, frozenset[str], tuple[str, ...]], ...] = (
    ("a program", _NONE, (".exe", ".dll", ".class", ".dex", ".lnk", ".AppImage")),
    ("a PDF document", frozenset({"pdf", "ai"}), (".pdf",)),
    ("a PNG picture", frozenset({"png"}), (".png",)),
    ("a JPEG picture", _JPEG, (".jpg",)),
    ("a GIF picture", frozenset({"gif"}), (".gif",)),
    ("a TIFF picture", _TIFF, (".tif",)),
    ("a WebP picture", _NONE, (".webp",)),
    ("a Photoshop picture", frozenset({"psd"}), (".psd",)),
    ("a ZIP archive or what is made of one", _ZIP, (".zip",)),
    ("an Office document", _OFFICE, (".doc",)),
    ("an archive", _NONE, (".gz", ".7z", ".rar", ".bz2", ".xz", ".cab")),
    ("sound or video", _SOUND, (".mp4", ".mov", ".m4a", ".wav", ".avi", ".webm", ".ogg", ".flac", ".wmv")),
    ("sound or video", _SOUND, (".mp3", ".mpg", ".aiff")),
)
_MACHINE_CODE = (
    b"\x7fELF",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
)


def extension_of(filename: str) -> str:
    """Without its dot, in lower case; "" if there is none."""
    return filename.rpartition(".")[2].lower() if "." in filename else ""


def media_type(filename: str) -> str | None:
    """The type of a file of this name, None if such files are not taken."""
    return MEDIA_TYPES.get(extension_of(filename))


def contradiction(filename: str, data: bytes) -> str | None:
    """What the content is instead of what its name says ("a program", "a PNG picture"); None if that may be true."""
    extension = extension_of(filename)
    if not data or extension in _PASSED_THROUGH:
        return None
    kinds = _recognised(data[:_HEAD])
    return None if not kinds or any(extension in fits for _, fits in kinds) else kinds[0][0]


def _recognised(head: bytes) -> list[tuple[str, frozenset[str]]]:
    """The kinds of file whose signature the content has: name, and the extensions it fits."""
    if head.startswith(_MACHINE_CODE) or (head.startswith(b"MZ") and b"\0" in head):
        return [("a program", _NONE)]
    try:
        matches = puremagic.magic_string(head)
    except puremagic.PureError:
        return []
    found = {match.extension for match in matches if len(match.byte_match) >= _LEAST_SIGNATURE}
    return [(name, fits) for name, fits, extensions in _KINDS if not found.isdisjoint(extensions)]
