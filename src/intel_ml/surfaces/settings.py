"""Every setting, read once, at the door.

Reads   the process environment and one settings file: `INTEL_ENV_FILE`, else `.env`, else the
demo's.
Gives   `Settings`, with the names of the plan's environment controls.
Never   merges two files: a demo's settings cannot leak into a real account's.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from intel_ml.core.errors import InvalidValueError, UnknownNameError

_NEAR = 0.86
LOOPBACK = "127.0.0.1"


class Settings(BaseSettings):
    """The settings of one installation, named as the environment variables are."""

    model_config = SettingsConfigDict(extra="forbid", case_sensitive=False, frozen=True)

    enable_intelligence: bool = Field(
        default=False, description="Master switch; false leaves only doctor, db and demo."
    )
    enable_insights_collection: bool = Field(
        default=True, description="Collect data from the ad platform."
    )
    enable_rules_engine: bool = Field(
        default=True, description="Evaluate rules and make proposals."
    )
    enable_ml_predictions: bool = Field(
        default=False, description="Let the learned policy decide beside the rules."
    )
    enable_action_executor: bool = Field(
        default=False, description="Start the one process that changes accounts."
    )

    max_auto_actions_per_hour: int = Field(
        default=10, ge=0, description="Changes in any 60 minutes, each account."
    )
    require_approval_for_days: int = Field(
        default=30, ge=0, description="Days after onboarding with no automatic action."
    )
    min_confidence_for_auto: float = Field(
        default=0.85, ge=0, le=1, description="Floor of confidence for automatic actions."
    )
    max_budget_change_percent: int = Field(
        default=30, ge=1, le=1000, description="Largest single budget change."
    )
    action_cooldown_hours: float = Field(
        default=4, ge=0, description="Hours between two actions on one entity."
    )

    insights_collection_interval: int = Field(
        default=60, ge=1, description="Minutes between two looks at an account."
    )
    initial_historical_days: int = Field(
        default=30, ge=1, le=1095, description="Days fetched when an account is new."
    )

    active_model_version: str = Field(
        default="rules_only", description="rules_only, an alias, or a registry version."
    )
    ml_shadow_mode: bool = Field(
        default=True, description="The policy predicts and is logged, rules are shown."
    )
    min_training_samples: int = Field(
        default=1000, ge=1, description="Measured outcomes needed before a policy is used."
    )

    holdout_share: float = Field(
        default=0.10,
        ge=0,
        lt=0.5,
        description="Share of triggered units left alone to compare with.",
    )
    exploration_share: float = Field(
        default=0.0,
        ge=0,
        lt=0.5,
        description="Largest share of decisions about ad sets that chance makes.",
    )
    exploration_per_day: int = Field(
        default=3, ge=0, description="Random tries in an account and day, at most."
    )
    exploration_spend_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Share of an account's daily spend that a day's tries move, at most.",
    )
    approval_valid_hours: float = Field(
        default=24, gt=0, description="Hours after which an unanswered proposal expires."
    )

    meta_graph_url: str = Field(
        default="https://graph.facebook.com", description="Where the Graph API is."
    )
    meta_access_token: SecretStr | None = Field(
        default=None, description="Token with ads_read, for collecting."
    )
    meta_write_token: SecretStr | None = Field(
        default=None, description="Token with ads_management, for the executor only."
    )
    meta_app_id: str | None = Field(default=None, description="The app the tokens belong to.")
    meta_app_secret: SecretStr | None = Field(
        default=None, description="Signs each request when set."
    )

    intel_home: Path = Field(
        default_factory=lambda: project_home() / ".intel", description="Data of this installation."
    )
    intel_database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL; empty starts an embedded one."
    )
    intel_mlflow_port: int = Field(default=5500, ge=1, le=65535, description="MLflow.")
    intel_api_port: int = Field(default=5501, ge=1, le=65535, description="The API.")
    intel_ui_port: int = Field(default=5502, ge=1, le=65535, description="The pages.")
    intel_sandbox_port: int = Field(default=5503, ge=1, le=65535, description="The sandbox.")
    intel_sandbox_world: str | None = Field(
        default=None, description="World to simulate; set by the demo."
    )
    intel_sandbox_speed: float = Field(
        default=1.0, ge=0, description="Simulated seconds a real second; 0 stands still."
    )
    intel_session_secret: SecretStr | None = Field(
        default=None, description="Signs the pages' login cookie."
    )
    intel_log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="How much is logged."
    )

    @property
    def project(self) -> Path:
        """The folder with notebooks, pipelines, models and serving."""
        return project_home()

    @property
    def artifacts(self) -> Path:
        """The folder of this installation's MLflow artifacts."""
        return project_home() / "mlruns" / self.intel_home.name.lstrip(".")

    @property
    def uses_sandbox(self) -> bool:
        """Whether the ad platform is the simulated one, whose time is simulated too."""
        return self.intel_sandbox_world is not None

    @property
    def mlflow_url(self) -> str:
        """Where MLflow's tracking server listens."""
        return f"http://{LOOPBACK}:{self.intel_mlflow_port}"

    @property
    def api_url(self) -> str:
        """Where the prediction service and the REST API listen."""
        return f"http://{LOOPBACK}:{self.intel_api_port}"

    @property
    def ui_url(self) -> str:
        """Where the pages are."""
        return f"http://{LOOPBACK}:{self.intel_ui_port}"

    @property
    def sandbox_url(self) -> str:
        """Where the simulated ad platform listens."""
        return f"http://{LOOPBACK}:{self.intel_sandbox_port}"


def load_settings(*, env_file: Path | None = None, with_write_token: bool = False) -> Settings:
    """Return the settings, or say which one is wrong and how to write it.

    Only who is to write is given the write token; for everyone else it is as if it were not set.
    """
    file = env_file or settings_file()
    known = set(Settings.model_fields)
    values = {**_read_file(file, known), **_read_environment(known)}
    if not with_write_token:
        values.pop("meta_write_token", None)
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        raise InvalidValueError(
            path=name,
            problem=f"{first['msg'][0].lower()}{first['msg'][1:]}",
            hint=str(Settings.model_fields[name.lower()].description or ""),
        ) from None


def settings_file() -> Path | None:
    """Return the one file that is read, None when there is none."""
    named = os.environ.get("INTEL_ENV_FILE")
    if named:
        path = Path(named)
        if not path.is_file():
            raise InvalidValueError(path="INTEL_ENV_FILE", problem=f"there is no file {path}")
        return path
    candidates = (project_home() / ".env", demo_file())
    return next((path for path in candidates if path.is_file()), None)


def demo_file() -> Path:
    """Return where a demo keeps its settings."""
    return project_home() / ".intel" / "demo" / "settings.env"


def project_home() -> Path:
    """Return the project's folder: where notebooks, pipelines and models live."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "notebooks").is_dir() and (folder / "pipelines").is_dir():
            return folder
    return Path(__file__).resolve().parents[3]


def _read_file(file: Path | None, known: set[str]) -> dict[str, Any]:
    if file is None:
        return {}
    values: dict[str, Any] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, separator, value = text.partition("=")
        if not separator:
            raise InvalidValueError(path=f"{file.name} line {number}", problem="is not NAME=value")
        key = name.strip().lower()
        if key not in known:
            raise UnknownNameError(
                kind="setting", name=name.strip(), known=[k.upper() for k in known]
            )
        values[key] = value.strip().strip("'\"")
    return {key: value for key, value in values.items() if value != ""}


def _read_environment(known: set[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    names = [name.upper() for name in known]
    for name, value in os.environ.items():
        if name.lower() in known:
            if value != "":
                values[name.lower()] = value
        elif _looks_like_ours(name, names):
            raise UnknownNameError(kind="setting", name=name, known=names)
    return values


def _looks_like_ours(name: str, known: list[str]) -> bool:
    if name == "INTEL_ENV_FILE":
        return False
    return bool(difflib.get_close_matches(name, known, n=1, cutoff=_NEAR))
