"""What HTTP says of a proposal is what its card on the page says."""

from __future__ import annotations

from dataclasses import fields, replace

from intel_ml.core.recommendations import Source
from intel_ml.reporting.cards import Card
from intel_ml.surfaces.api.card_schemas import CardOut, card_out
from tests.surfaces.ui.conftest import card

__all__ = ["card"]

#: Told by the account beside the card, or drawn from the trend.
ELSEWHERE = {"account_name", "time_zone", "currency", "trend"}
RENAMED = {"policy_says": "policy"}


def test_every_fact_of_a_card_is_told(card: Card) -> None:
    facts = {RENAMED.get(one.name, one.name) for one in fields(card)} - ELSEWHERE
    assert set(CardOut.model_fields) == facts | {"is_try"}


def test_a_card_is_told_in_its_own_words(card: Card) -> None:
    told = card_out(
        replace(
            card,
            alone="Went on by itself.",
            was_alone=True,
            imitates=True,
            source=Source.EXPLORATION,
        )
    ).model_dump(mode="json")
    assert (told["alone"], told["was_alone"], told["imitates"], told["is_try"]) == (
        "Went on by itself.",
        True,
        True,
        True,
    )
    assert told["policy"] == card.policy_says
    assert told["stake"] == {"minor": 20000, "currency": "USD", "text": "200.00 USD"}
    assert told["value_after"]["status"] == "PAUSED"
    assert told["policy_pmf"]["pause"] == 0.62
    assert told["reasons"][0]["observed"] == 68.5
