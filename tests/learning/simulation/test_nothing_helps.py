"""Where no action has any effect, every decider is worth nothing, the oracle too."""

from __future__ import annotations

from pathlib import Path

from intel_ml.learning.simulation import evaluate


def test_where_nothing_has_an_effect_nobody_gains_and_it_is_told_so(
    small_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "nothing.toml"
    text = small_file.read_text(encoding="utf-8")
    path.write_text(f"actions_have_effect = false\n{text}", encoding="utf-8")
    found = evaluate("random", path, days=2, seeds=2, workers=1)
    assert sum(line.changes for line in found.lines) > 0
    for line in found.lines:
        assert (line.value.value, line.value.low, line.value.high) == (0.0, 0.0, 0.0)
        assert line.share is None
