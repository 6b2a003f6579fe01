"""Notes lead to the card they are about, and nowhere else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from intel_ml.core.ids import AdAccountId
from intel_ml.operations.notices import action_page
from intel_ml.reporting.notifications import Note
from intel_ml.surfaces.ui.notes_html import notes_html

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def html_of(url: str | None) -> str:
    note = Note(
        id=1,
        account_id=AdAccountId("act_1"),
        type="action_pending",
        severity="info",
        title="Pause ad set Summer Sale",
        message="Shop: waits for an answer.",
        entity_type=None,
        entity_id=None,
        action_url=url,
        data={},
        is_read=False,
        read_at=None,
        created_at=NOW,
    )
    return notes_html([note], unread=1, now=NOW, zones={}, path="/")


def test_a_note_leads_to_its_card() -> None:
    assert 'href="/?action=7&amp;account=act_1"' in html_of(action_page("act_1", 7))


@pytest.mark.parametrize(
    "url", [None, "", "//evil.example", "/\\evil.example", "https://evil.example", "javascript:x"]
)
def test_no_note_leads_elsewhere(url: str | None) -> None:
    assert "<a " not in html_of(url)
