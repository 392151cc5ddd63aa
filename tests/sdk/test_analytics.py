"""Analytics by the libraries' own methods."""

from __future__ import annotations

import time

from mailersend import AnalyticsBuilder

from support.sdk.node import NodeSdk
from support.sdk.python_sdk import PythonSdk
from support.sdk.scene import Scene


def test_python_counts(scene: Scene, python_sdk: PythonSdk) -> None:
    sdk = python_sdk.client.analytics
    builder = AnalyticsBuilder().domain_id(scene.account.domain_id).date_range_days(7)
    request = builder.copy().all_events().group_by("weeks").build()
    found = sdk.get_activity_by_date(request)["data"]
    assert found["group_by"] == "weeks"
    assert len(found["stats"]) == 2
    assert {type(number) for row in found["stats"] for number in row.values()} == {str, int}
    for method in (
        sdk.get_opens_by_country,
        sdk.get_opens_by_user_agent,
        sdk.get_opens_by_reading_environment,
    ):
        assert method(builder.build())["data"]["stats"] == []


def test_node_counts(scene: Scene, node_sdk: NodeSdk) -> None:
    now = int(time.time())
    query = {"date_from": now - 86_400, "date_to": now, "domain_id": scene.account.domain_id, "tags": ["a"]}
    asked = query | {"event": ["sent", "opened_unique"], "group_by": "days", "recipient_id": ["0" * 24]}
    found = node_sdk.call("email.analytics.byDate", asked)["body"]["data"]
    assert [sorted(row) for row in found["stats"]] == [["date", "opened_unique", "sent"]] * 2
    for method in ("byCountry", "byUserAgent", "byReadingEnvironment"):
        assert node_sdk.call(f"email.analytics.{method}", query)["body"]["data"]["stats"] == []
