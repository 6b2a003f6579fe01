from tests.operations.conftest import desk, graph
from tests.operations.test_decisions import wasting

__all__ = ["desk", "graph", "wasting"]
