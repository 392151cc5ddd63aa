"""runtime/ids.py"""

import re
from itertools import pairwise

from postroom.runtime.ids import mail_id, object_id, secret


def test_object_ids_are_16_lower_case_letters_and_digits():
    ids = {object_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch("[a-z0-9]{16}", one) for one in ids)


def test_mail_ids_are_24_hex_digits_and_sort_by_time():
    moments = [0, 1, 255, 1_767_225_600_000, 1_767_225_600_001]
    ids = [mail_id(moment) for moment in moments]
    assert ids == sorted(ids)
    assert all(re.fullmatch("[0-9a-f]{24}", one) for one in ids)


def test_mail_ids_of_a_millisecond_are_in_the_order_of_their_making():
    ids = [mail_id(5) for _ in range(1000)]
    # Once in 16 million the counter begins anew, and then the ids of one moment do, too.
    assert sum(one > other for one, other in pairwise(ids)) <= 1


def test_secrets_are_url_safe_and_long():
    assert secret() != secret()
    assert re.fullmatch("[A-Za-z0-9_-]{43}", secret())
    assert len(secret(16)) == 22


def test_no_secret_looks_like_an_option():
    assert not any(secret().startswith("-") for _ in range(1000))
