from __future__ import annotations

import pytest

from intel_ml.core.errors import NotFoundError
from intel_ml.reporting.notifications import (
    Which,
    mark_all_read,
    mark_read,
    notifications,
    notify,
    unread_count,
)
from tests.operations.conftest import Desk


def test_each_member_is_told_once_and_reads_for_themselves(desk: Desk) -> None:
    with desk.store.session() as session:
        said = {
            "account_id": "act_1",
            "type": "alert",
            "severity": "warning",
            "title": "Look",
            "message": "At this.",
        }
        assert notify(session, **said, key="k") == 2
        assert notify(session, **said, key="k") == 0
        assert notify(session, **said) == 2
    with desk.store.session() as session:
        mine = notifications(session, person=desk.ana)
        assert len(mine) == 2
        mark_read(session, person=desk.ana, notification_id=mine[0].id, now=desk.now())
        assert unread_count(session, person=desk.ana) == 1
        assert unread_count(session, person=desk.bob) == 2
        assert len(notifications(session, person=desk.ana, which=Which.UNREAD)) == 1
        with pytest.raises(NotFoundError):
            mark_read(session, person=desk.bob, notification_id=mine[0].id, now=desk.now())
        assert mark_all_read(session, person=desk.bob, now=desk.now()) == 2
        assert unread_count(session, person=desk.stranger) == 0
