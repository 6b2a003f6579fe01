"""What a kernel does last must never keep it from ending."""

from __future__ import annotations

import pytest

from intel_ml.learning.registry import Registry
from intel_ml.surfaces.lab.progress import finish
from tests.tracking import free_port


@pytest.mark.server
def test_a_study_ends_finished(registry: Registry) -> None:
    opened = registry.open_run("studies", "one")
    finish(registry, opened.id)
    assert registry._client.get_run(opened.id).info.status == "FINISHED"


def test_a_server_that_went_first_is_no_error() -> None:
    finish(Registry(f"http://127.0.0.1:{free_port()}"), "any")
