"""Attached files: what is taken, and what is not what its name says."""

from __future__ import annotations

import io
import zipfile

import pytest

from postroom.wire.mime.media_types import MEDIA_TYPES, contradiction, extension_of, media_type

CONTRACT = """txt csv log css ics xml jpg jpe jpeg gif png bmp psd tif tiff svg indd ai eps doc docx rtf odt ott pdf pub
pages mobi epub mp3 m4a m4v wma ogg flac wav aif aifc aiff mp4 mov avi mkv mpeg mpg wmv xls xlsx ods numbers odp ppt pptx
pps key zip vcf eml p7c p7m p7s pgp asc sig"""


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("word/document.xml", "<x/>")
    return file.getvalue()


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0"
GIF = b"GIF89a\x01\0\x01\0"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
ZIP = archive()
EXE = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0"
MP4 = b"\0\0\0\x20ftypisom\0\0\x02\0"
MP3 = b"ID3\x03\0\0\0\0"
SOUND = "mp4 m4a m4v mov avi mkv mpeg mpg wmv mp3 wma ogg flac wav aif aifc aiff"
PROGRAMS = {
    "exe": EXE,
    "packed exe": b"MZ\x80\0\x01\0\0\0",
    "elf": b"\x7fELF\x02\x01\x01" + b"\0" * 20,
    "mach-o": b"\xcf\xfa\xed\xfe\x07\0\0\x01",
    "java": b"\xca\xfe\xba\xbe\0\0\0\x34",
    "shortcut": b"L\0\0\0\x01\x14\x02\0\0\0\0\0",
}


def test_every_extension_of_the_contract_has_a_type() -> None:
    assert set(MEDIA_TYPES) == set(CONTRACT.split())


@pytest.mark.parametrize(
    ("name", "extension", "type_"),
    [
        ("a.pdf", "pdf", "application/pdf"),
        ("A.B.PDF", "pdf", "application/pdf"),
        (".txt", "txt", "text/plain"),
        ("smime.p7m", "p7m", "application/pkcs7-mime"),
        ("signature.asc", "asc", "application/pgp-signature"),
        ("pdf", "", None),
        ("a.", "", None),
        ("a.exe", "exe", None),
        ("a.pdf.exe", "exe", None),
        ("a.pdf ", "pdf ", None),
    ],
)
def test_the_extension_decides(name: str, extension: str, type_: str | None) -> None:
    assert extension_of(name) == extension
    assert media_type(name) == type_


@pytest.mark.parametrize("data", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_are_nothing_else(data: bytes) -> None:
    for extension in set(CONTRACT.split()) - {"p7c", "p7m", "p7s", "pgp", "asc", "sig"}:
        assert contradiction(f"invoice.{extension}", data) == "a program"


@pytest.mark.parametrize(
    ("data", "kind", "fits"),
    [
        (PNG, "a PNG picture", "png"),
        (JPEG, "a JPEG picture", "jpg jpe jpeg"),
        (GIF, "a GIF picture", "gif"),
        (PDF, "a PDF document", "pdf ai"),
        (ZIP, "a ZIP archive or what is made of one", "zip docx xlsx pptx odt ott ods odp pages numbers key epub doc xls ppt pps pub"),
        (OLE, "an Office document", "doc xls ppt pps pub docx xlsx pptx"),
        (MP4, "sound or video", SOUND),
        (MP3, "sound or video", SOUND),
        (b"7z\xbc\xaf'\x1c\0\x04", "an archive", ""),
        (b"Rar!\x1a\x07\x01\0", "an archive", ""),
        (b"\x1f\x8b\x08\0\0\0\0\0", "an archive", ""),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "a WebP picture", SOUND),
    ],
)  # fmt: skip
def test_a_clear_signature_fits_its_extensions_only(data: bytes, kind: str, fits: str) -> None:
    passed = {"p7c", "p7m", "p7s", "pgp", "asc", "sig"}
    for extension in CONTRACT.split():
        found = contradiction(f"a.{extension}", data)
        assert (found is None) == (extension in fits.split() or extension in passed), extension
        assert found in (None, kind)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a;b;c\r\n1;2;3\r\n",
        b"MZ is how this text begins",
        b"BM as well",
        "Grüße".encode("utf-16"),
        b"{\\rtf1\\ansi}",
        b"<html><table><tr><td>an Excel file of some report tool",
        b"\0\x01\x02\x03 something nobody knows",
        b"From: a@example.com\r\n\r\n",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"<?xml version='1.0'?><svg/>",
    ],
)
def test_what_has_no_clear_signature_is_believed(data: bytes) -> None:
    for extension in CONTRACT.split():
        assert contradiction(f"a.{extension}", data) is None
