from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.wire.html_text import html_text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("just text", "just text"),
        ("<p>One\n  line</p><p>and&nbsp;another &amp; more</p>", "One line\n\nand another & more"),
        ("a<br>b<br/><br>c", "a\nb\n\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<h1>Title</h1>text<hr>end", "Title\n\ntext\n\n---\n\nend"),
        ("<ul><li>one</li><li><p>two</p></li></ul>after", "- one\n- two\n\nafter"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<head><title>x</title><style>p{}</style></head><script>1<2</script><body>y</body>", "y"),
        ('see <a href="https://x.test/?a=1&amp;b=2">our shop</a>!', "see our shop (https://x.test/?a=1&b=2)!"),
        ('<a href="https://x.test">https://x.test</a>', "https://x.test"),
        ('<a href="mailto:a@x.test">a@x.test</a>, <a href="#top">up</a>', "a@x.test, up"),
        ('<a href="https://x.test"><img src="i.png"></a>', "https://x.test"),
        ('<img src="i.png" alt="A cat"> sleeps', "A cat sleeps"),
        ("<b>bo</b>ld and <i>odd", "bold and odd"),
        ("a < b <!-- hidden --> > c", "a < b > c"),
    ],
)  # fmt: skip
def test_what_html_says(source: str, text: str) -> None:
    assert html_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>Hi {{ name }},</p>", "Hi {{ name }},"),
        ("{% if a<b and c > d %}<b>x</b>{% endif %}", "{% if a<b and c > d %}x{% endif %}"),
        ('<a href="{{ url }}">go</a>', "go ({{ url }})"),
        ("<p>{{  a ~ '  &amp;  ' }}</p>", "{{  a ~ '  &amp;  ' }}"),
        ("a{# <p>never</p> #}b", "a{# <p>never</p> #}b"),
    ],
)
def test_template_tags_stay_as_they_are(source: str, text: str) -> None:
    assert html_text(source) == text


@given(st.text(alphabet="<>&;/ab \n\"'={}%#!-\ue000\ue0011", max_size=200))
def test_whatever_comes_is_turned_into_tidy_text(source: str) -> None:
    text = html_text(source)
    outside = text if "{" not in source else ""
    assert not any(line.endswith(" ") for line in outside.split("\n"))
    assert "\n\n\n" not in outside


@pytest.mark.parametrize(
    "piece",
    ["<div ", "{{", "{#", "<!--", "<![CDATA[", "<?", "&", "<a>", "<a href=x>a", "<li>", "<b>x</b>", "<p>x", "</script", "<script>"],
)  # fmt: skip
def test_hostile_html_takes_no_more_time_than_it_is_long(piece: str) -> None:
    """With a reader that looks twice at everything behind each piece this would not end today."""
    html_text(piece * (300_000 // len(piece)))
