"""A real tracking server for these tests."""

from tests.tracking import registry, tracking_url

__all__ = ["registry", "tracking_url"]
