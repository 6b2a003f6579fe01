"""An approver decides with the keyboard, and the database holds what was decided."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import AutomationAction
from intel_ml.operations import approvals, switches

if TYPE_CHECKING:
    from tests.browser.conftest import Site

pytestmark = pytest.mark.browser


def _keep_waiting(_: Any) -> None:
    """Leave a request without an answer."""


SERVER = re.compile("component_server")
SUMMER, COLD = "Summer Sale \N{EN DASH} Lookalike 2%", "Cold Audience DE"


def test_a_stranger_is_sent_to_the_login_and_on_to_the_card(
    site: Site, visit: Callable[..., Any], deliver: Callable[[Store, str], None]
) -> None:
    wanted = site.action(COLD)
    deliver(site.store, wanted.entity_id)
    page = visit("anna", f"/?action={wanted.id}")
    assert page.text_content(".card h2") == f"Pause ad set {COLD}"
    assert page.locator(".card svg.chart").count() == 1
    assert page.locator(".row").count() == 4
    assert "Of another" not in page.content()
    assert page.strangers == []


def test_key_a_approves_the_open_card_and_says_what_happens_next(
    site: Site, visit: Callable[..., Any]
) -> None:
    page = visit("anna")
    page.keyboard.press("a")
    page.wait_for_selector(".card .standing")
    assert "Approved" in page.text_content(".card .standing")
    assert page.locator(".row").count() == 3
    row = site.action(SUMMER)
    assert (row.status, row.approved_by) == ("approved", site.people["anna"].id)
    page.keyboard.press("a")  # a decided card takes no second decision
    page.keyboard.press("j")
    page.wait_for_selector(f'.card h2:has-text("{COLD}")')
    assert site.action(COLD).status == "pending_approval"


def test_key_r_and_a_number_reject_with_the_reason(site: Site, visit: Callable[..., Any]) -> None:
    page = visit("anna")
    page.keyboard.press("r")
    page.wait_for_selector("dialog.intel[open]")
    page.keyboard.press("2")
    page.wait_for_selector(".card .standing")
    row = site.action(SUMMER)
    assert (row.status, row.rejection_reason) == ("rejected", "promotion running")


def test_key_m_and_a_number_approve_another_change(site: Site, visit: Callable[..., Any]) -> None:
    page = visit("anna")
    page.keyboard.press("m")
    choice = page.locator('dialog.intel [data-change="-20"]')
    assert "50.00 → 40.00 USD a day" in choice.text_content()
    choice.click()
    page.wait_for_selector(".card .standing")
    row = site.action(SUMMER)
    assert (row.status, row.action_type, row.value_after["daily_budget_minor"]) == (
        "approved",
        "decrease_budget",
        4000,
    )


def test_key_u_shows_what_it_undoes_before_it_does(site: Site, visit: Callable[..., Any]) -> None:
    page = visit("anna")
    page.keyboard.press("a")
    page.wait_for_selector(".card .standing")
    page.keyboard.press("j")
    page.wait_for_selector(f'.card h2:has-text("{COLD}")')
    page.keyboard.press("u")
    page.wait_for_selector(f'.card h2:has-text("{SUMMER}")')
    assert "Press U once more" in page.text_content(".notice")
    assert len([one for one in site.actions() if one.undoes_id]) == 0


def test_while_changes_are_stopped_a_banner_says_so(site: Site, visit: Callable[..., Any]) -> None:
    page = visit("anna")
    assert page.text_content(".halt") == ""
    with site.store.session() as session:
        switches.kill(session, reason="wrong prices", by="boris")
    page.wait_for_selector('.halt:has-text("Boris stopped all changes: wrong prices")')
    page.keyboard.press("a")
    page.wait_for_selector('.card .standing:has-text("Not made yet")')


def test_a_session_that_ended_leads_back_to_the_card(site: Site, visit: Callable[..., Any]) -> None:
    page = visit("anna")
    page.keyboard.press("j")
    page.wait_for_selector(f'.card h2:has-text("{COLD}")')
    page.context.clear_cookies()
    page.wait_for_selector('.wrong:has-text("Your session has ended")')
    page.fill("#name", "anna")
    page.fill("#password", "anna")
    page.press("#password", "Enter")
    page.wait_for_selector(f'.card h2:has-text("{COLD}")')
    assert site.action(COLD).status == "pending_approval"


def test_who_decided_first_is_named_with_the_time(site: Site, visit: Callable[..., Any]) -> None:
    page = visit("anna")
    page.route(SERVER, _keep_waiting)  # the page sees nothing of it
    with site.store.session() as session:
        approvals.reject(
            session,
            account_id="act_101",
            action_id=site.action(SUMMER).id,
            by=site.people["boris"],
            now=platform_now(session),
            reason="too early",
        )
    page.unroute(SERVER)
    page.keyboard.press("a")
    page.wait_for_selector(".notice.danger span")
    words = page.text_content(".notice span")
    assert "boris" in words
    assert "rejected" in words
    assert site.action(SUMMER).status == "rejected"


def test_a_name_with_markup_is_shown_and_does_nothing(
    site: Site, visit: Callable[..., Any]
) -> None:
    evil = next(one.entity_name for one in site.actions() if "<img" in one.entity_name)
    page = visit("anna", f"/?action={site.action(evil).id}")
    assert evil in page.text_content(".card h2")
    for path in ("/dashboard", "/history", "/rules"):
        page.goto(site.url + path)
        page.wait_for_selector("body.intel-ready")
    assert page.evaluate("window.owned") is None


def test_a_refresh_keeps_the_open_card_and_what_is_being_typed(
    site: Site, visit: Callable[..., Any]
) -> None:
    page = visit("anna")
    page.keyboard.press("j")
    page.wait_for_selector(f'.card h2:has-text("{COLD}")')
    page.keyboard.press("r")
    page.fill("dialog.intel input", "wait for the week")
    with site.store.session() as session:
        approvals.approve(
            session,
            account_id="act_101",
            action_id=site.action(SUMMER).id,
            by=site.people["boris"],
            now=platform_now(session),
        )
    page.wait_for_function("document.querySelectorAll('.row').length === 3")
    assert page.input_value("dialog.intel input") == "wait for the week"
    assert page.text_content(".card h2") == f"Pause ad set {COLD}"
    page.press("dialog.intel input", "Enter")
    page.wait_for_selector(".card .standing")
    assert site.action(COLD).rejection_reason == "wait for the week"


def test_the_filter_narrows_and_shift_a_approves_what_matches(
    site: Site, visit: Callable[..., Any]
) -> None:
    page = visit("anna")
    page.keyboard.press("/")
    page.keyboard.type("cold")
    page.wait_for_function("document.querySelectorAll('.row').length === 1")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+A")
    page.wait_for_selector('dialog.intel button:has-text("Approve 1")')
    page.keyboard.press("Enter")
    page.wait_for_selector('.notice:has-text("1 proposal approved")')
    assert {one.entity_name for one in site.actions() if one.status == "approved"} == {COLD}


def test_a_server_that_does_not_answer_is_said_and_then_forgotten(
    visit: Callable[..., Any],
) -> None:
    page = visit("anna")
    page.route(SERVER, lambda route: route.abort())
    page.keyboard.press("j")
    page.wait_for_selector('.notice.danger:has-text("does not answer")')
    page.unroute(SERVER)
    page.wait_for_selector(".notice", state="hidden")
    assert page.locator(".row").count() == 4


def test_a_viewer_sees_but_does_not_decide(site: Site, visit: Callable[..., Any]) -> None:
    page = visit("vera", width=390)
    page.click(".row")
    page.wait_for_selector(".card")
    page.click('[data-do="approve"]')
    page.wait_for_selector(".notice.danger")
    assert "approver" in page.text_content(".notice")
    assert site.action(SUMMER).status == "pending_approval"


def test_a_post_from_another_origin_or_without_login_changes_nothing(site: Site) -> None:
    evil = httpx.post(f"{site.url}/login", headers={"Origin": "http://evil.example"})
    assert evil.status_code == 403
    for path in ("/config", "/gradio_api/info"):
        assert httpx.get(site.url + path).status_code == 401
    stranger = httpx.post(f"{site.url}/gradio_api/component_server", json={})
    assert stranger.status_code == 401
    wrong = httpx.post(f"{site.url}/login", data={"name": "anna", "password": "no"})
    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    assert {one.status for one in site.actions()} == {"pending_approval"}


def test_tries_stand_last_and_are_approved_together_and_alone(
    site: Site, visit: Callable[..., Any]
) -> None:
    with site.store.session() as session:
        tried = session.get_one(AutomationAction, ("act_101", site.action(SUMMER).id))
        tried.source = "exploration"
    page = visit("anna")
    assert SUMMER in page.locator(".row").last.text_content()
    page.click('[data-do="approve-tries"]')
    assert "Approve the random try?" in page.text_content("dialog")
    page.click("dialog .primary")
    page.wait_for_function("document.querySelectorAll('.row').length === 3")
    assert site.action(SUMMER).status == "approved"
    assert site.action(COLD).status == "pending_approval"
    assert page.locator('[data-do="approve-tries"]').count() == 0
