"""Passwords of ten characters and more that everybody tries first, in lower case. Shorter ones are not taken anyway."""

from __future__ import annotations

_LISTED = """
1234567890 12345678910 123456789a 0123456789 9876543210 0987654321 1111111111 0000000000 1122334455 1234512345
123123123123 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc 123qweasdzxc qwertyuiop qwertyuiop123 qwerty12345
qwerty123456 qwerty1234567 qwerty123456789 asdfghjkl123 asdfghjkl1 zaq12wsxcde3 q1w2e3r4t5 q1w2e3r4t5y6
password12 password123 password1234 password12345 password123456 password123! password1! passwordpassword
p@ssw0rd123 p@ssword123 passw0rd123 mypassword mypassword1 mypassword123 newpassword newpassword1 changeme123
changeme1234 letmein123 letmein1234 letmeinplease welcome123 welcome1234 welcome12345 iloveyou12 iloveyou123
iloveyou1234 ilovemyself sunshine123 football123 baseball123 superman123 princess123 administrator admin12345
admin123456 adminadmin administrator1 administrator123 rootrootroot testtesttest test123456 test1234567 testtest123
abcdefghij abcdefghijk abcd123456 abc123456789 abcdefg123 abcd1234567 a123456789 aa12345678 asdf123456 secret1234
secret12345 topsecret1 michael123 jennifer123 basketball trustno1trustno1 computer123 internet123 minecraft123
postroompostroom postroom123 postroom1234 correcthorsebatterystaple
"""

COMMON = frozenset(_LISTED.split())
