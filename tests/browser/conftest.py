"""The pages as a person meets them: a real server on loopback, a real Chromium in front of it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import sync_playwright
from sqlalchemy import create_engine, select, text

from intel_ml.core.accounts import Account, Person
from intel_ml.core.ids import AdAccountId
from intel_ml.core.money import Money
from intel_ml.core.recommendations import Mode, Role
from intel_ml.data.store import accounts as account_rows
from intel_ml.data.store.embedded import EmbeddedPostgres
from intel_ml.data.store.sessions import Store, platform_now
from intel_ml.data.store.tables import AutomationAction, Base, PerformanceDaily
from intel_ml.operations import switches
from intel_ml.surfaces.auth import HashCost, hash_password

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
]
#: Argon2 as login verifies it: the cost is read from the hash, so a cheap one keeps tests quick.
CHEAP = HashCost(passes=1, memory_kib=1024, lanes=1)
EVIL = '<img src=x onerror="window.owned=1">${window.owned=2}{{constructor}}'
NAMES = ("Summer Sale \N{EN DASH} Lookalike 2%", "Cold Audience DE", EVIL, "Retargeting 30d")


@dataclass(frozen=True)
class Site:
    """A running installation: where it is, its store, its people (password: their name)."""

    url: str
    store: Store
    people: dict[str, Person]

    def actions(self) -> list[AutomationAction]:
        with self.store.session() as session:
            return list(session.scalars(select(AutomationAction).order_by(AutomationAction.id)))

    def action(self, name: str) -> AutomationAction:
        return next(one for one in self.actions() if one.entity_name == name)


def _chromium() -> str:
    found = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if found is None:
        pytest.skip("no Chromium was found: install the package `chromium`")
    return found


@pytest.fixture(scope="module")
def address(postgres: EmbeddedPostgres) -> Iterator[tuple[str, Store]]:
    """One server in a process of its own, as in production, on a database of its own."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    admin = create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template_intel'))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).with_name("serve.py")
    server = subprocess.Popen(
        [sys.executable, str(script), postgres.url(name), str(port)]
    )  # our own
    url, store = f"http://127.0.0.1:{port}", Store(postgres.url(name))
    try:
        _wait_for(url, server)
        yield url, store
    finally:
        server.terminate()
        server.wait(timeout=20)
        store.close()
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


@pytest.fixture
def site(address: tuple[str, Store]) -> Site:
    """The running pages, with a fresh content."""
    url, store = address
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with store.session() as session:
        session.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    return Site(url, store, _fill(store))


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the pages did not start"
        try:
            if httpx.get(f"{url}/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail("the pages did not answer within a minute")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for the tests of a module; each visit has a profile of its own."""
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=_chromium(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(site: Site, browser: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that logs a person in and opens a page."""
    contexts = []

    def log_in(name: str, path: str = "/", *, width: int = 1280) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 800})
        context.set_default_timeout(20_000)
        contexts.append(context)
        page = context.new_page()
        page.strangers = []
        page.on("request", lambda request: page.strangers.extend(_foreign(request.url, site.url)))
        page.goto(f"{site.url}{path}")
        page.fill("#name", name)
        page.fill("#password", name)
        page.press("#password", "Enter")
        page.wait_for_selector("body.intel-ready")
        return page

    yield log_in
    for context in contexts:
        context.close()


def _foreign(url: str, ours: str) -> list[str]:
    return [] if url.startswith((ours, "data:", "blob:")) else [url]


def _fill(store: Store) -> dict[str, Person]:
    people = {}
    with store.session() as session:
        now = platform_now(session)
        switches.revive(session, reason="begin", by="test")
        for account_id, currency in (("act_101", "USD"), ("act_202", "JPY")):
            account = Account(
                id=AdAccountId(account_id),
                name=f"Shop {currency}",
                currency=currency,
                time_zone="Europe/Berlin",
                target_cpa=Money(2000, currency),
                target_roas=None,
                mode=Mode.SHADOW,
                source="api",
                onboarded_at=now - timedelta(days=40),
            )
            account_rows.save_account(session, account)
        for name, role in (
            ("anna", Role.OPERATOR),
            ("boris", Role.APPROVER),
            ("vera", Role.VIEWER),
        ):
            user_id = account_rows.save_person(
                session, name=name, password_hash=hash_password(name, cost=CHEAP), now=now
            )
            account_rows.grant(session, user_id=user_id, account_id="act_101", role=role)
        for at, name in enumerate(NAMES):
            session.add(
                _proposal(name, account_id="act_101", entity_id=f"12000000{at}", at=at, now=now)
            )
        session.add(_proposal("Of another", account_id="act_202", entity_id="999", at=0, now=now))
        session.flush()
        for name in ("anna", "boris", "vera"):
            found = account_rows.person_named(session, name)
            assert found is not None
            people[name] = found[0]
    return people


def _proposal(
    name: str, *, account_id: str, entity_id: str, at: int, now: datetime
) -> AutomationAction:
    before = {"daily_budget_minor": 5000, "status": "ACTIVE", "currency": "USD"}
    return AutomationAction(
        ad_account_id=account_id,
        key=f"{account_id}-{entity_id}",
        source="rules",
        rule_version=1,
        entity_type="adset",
        entity_id=entity_id,
        entity_name=name,
        action_type="pause",
        action_params={},
        value_before=before,
        value_after=before | {"status": "PAUSED"},
        status="pending_approval",
        reason=f"68.50 USD per purchase against a target of 20, {at + 1} purchases",
        reasons=[
            {
                "text": "over",
                "field": "cpa",
                "observed": 68.5,
                "operator": ">",
                "threshold": 40.0,
                "unit": "USD",
            }
        ],
        triggered_metrics={},
        # Most at stake comes first: the order of the names.
        stake_minor=90_000 - at * 10_000,
        data_as_of=now,
        expires_at=now + timedelta(hours=5),
        created_at=now - timedelta(minutes=5),
        updated_at=now,
    )


@pytest.fixture
def deliver() -> Callable[[Store, str], None]:
    """Return a function that gives an ad set fourteen days of delivery."""

    def write(store: Store, entity_id: str) -> None:
        with store.session() as session:
            now = platform_now(session)
            for days in range(14):
                session.add(
                    PerformanceDaily(
                        ad_account_id="act_101",
                        entity_type="adset",
                        entity_id=entity_id,
                        day=(now - timedelta(days=days)).date(),
                        seen_at=now,
                        spend_minor=4000,
                        conversions=2.0,
                        source="api",
                    )
                )

    return write
