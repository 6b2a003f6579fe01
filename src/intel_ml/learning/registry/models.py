"""Runs and registered models of one tracking server.

Reads   policies and archetypes, which save and load themselves as folders of npz and json.
Gives   registered versions with aliases, tags and a card; loaded ones, checked before use.
Never   pickles or unpickles; never returns a model whose files, features or numbers are not what
        was registered.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from intel_ml.core.errors import ModelRefusedError, UnavailableError
from intel_ml.features.catalogue import features_hash
from intel_ml.learning.artifacts import folder_sha256, refuse_unusable
from intel_ml.learning.registry.client import (
    CHECK,
    answering,
    git_revision,
    mlflow_client,
    mlflow_error,
    quieten,
)
from intel_ml.learning.registry.runs import Run
from intel_ml.learning.registry.values import (
    LoadedArchetypes,
    LoadedPolicy,
    Registration,
    Version,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

    from intel_ml.intelligence.clusters import Archetypes
    from intel_ml.intelligence.policy.protocol import Policy

_HEALTH_TIMEOUT_S = 5.0
_MODEL_FOLDER, _CANDIDATE_FOLDER = "model", "candidate"
_CANDIDATE_TAG = "intel.candidate"
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


class Registry:
    """Runs and registered models of one MLflow tracking server."""

    def __init__(self, tracking_url: str) -> None:
        self.tracking_url = tracking_url

    @functools.cached_property
    def _client(self) -> MlflowClient:
        self.require()
        return mlflow_client(self.tracking_url)

    def is_up(self) -> bool:
        """Return whether the tracking server answers."""
        try:
            return httpx.get(f"{self.tracking_url}/health", timeout=_HEALTH_TIMEOUT_S).is_success
        except httpx.HTTPError:
            return False

    def require(self) -> None:
        """Say in one line that the tracking server does not answer, if it does not."""
        if not self.is_up():
            raise UnavailableError(service=f"MLflow at {self.tracking_url}", check=CHECK)

    @contextmanager
    def run(
        self, experiment: str, name: str, *, tags: Mapping[str, str] | None = None
    ) -> Iterator[Run]:
        """Open a run for the block; it ends FINISHED, or FAILED when the block raises."""
        opened = self.open_run(experiment, name, tags=tags)
        try:
            yield opened
        except BaseException:
            self.close_run(opened.id, status="FAILED")
            raise
        self.close_run(opened.id, status="FINISHED")

    def open_run(self, experiment: str, name: str, *, tags: Mapping[str, str] | None = None) -> Run:
        """Start a run that someone else will end."""
        with answering(self.tracking_url):
            found = self._client.get_experiment_by_name(experiment)
            number = found.experiment_id if found else self._create_experiment(experiment)
            created = self._client.create_run(number, run_name=name, tags=dict(tags or {}))
            return Run(self._client, created.info.run_id)

    def current_run(self) -> Run | None:
        """Return the run this process was started for (MLFLOW_RUN_ID), None when there is none."""
        quieten()
        from mlflow.environment_variables import MLFLOW_RUN_ID  # noqa: PLC0415  # heavy

        variable: Any = MLFLOW_RUN_ID
        number: str | None = variable.get()
        return Run(self._client, number) if number else None

    def close_run(self, run_id: str, *, status: str) -> None:
        """End a run as FINISHED or FAILED."""
        with answering(self.tracking_url):
            self._client.set_terminated(run_id, status=status)

    def register_policy(self, policy: Policy, *, registration: Registration) -> str:
        """Store a policy's folder under its run and register it; return the new version."""
        return self._register(policy, registration=registration)

    def register_archetypes(self, archetypes: Archetypes, *, registration: Registration) -> str:
        """Store the archetypes' folder under its run and register it; return the new version."""
        return self._register(archetypes, registration=registration)

    def save_candidate(
        self, policy: Policy, *, name: str, run_id: str, tags: Mapping[str, str]
    ) -> None:
        """Keep a trained policy with its run until it is evaluated; nothing serves a candidate."""
        with answering(self.tracking_url), _saved(policy) as folder:
            self._client.log_artifacts(run_id, str(folder), _CANDIDATE_FOLDER)
            for tag, value in {
                **tags,
                _CANDIDATE_TAG: name,
                "sha256": folder_sha256(folder),
            }.items():
                self._client.set_tag(run_id, tag, value)

    def load_candidate(self, name: str) -> tuple[Policy, Mapping[str, str]] | None:
        """Return the newest candidate and its run's tags, None when nothing was trained yet."""
        from intel_ml.intelligence.policy import load_policy  # noqa: PLC0415  # numpy and friends

        with answering(self.tracking_url), tempfile.TemporaryDirectory() as folder:
            experiments = [e.experiment_id for e in self._client.search_experiments()]
            runs = self._client.search_runs(
                experiments,
                filter_string=f"tags.`{_CANDIDATE_TAG}` = '{name}'",
                order_by=["attributes.start_time DESC"],
                max_results=1,
            )
            if not runs:
                return None
            tags = dict(runs[0].data.tags)
            path = Path(
                self._client.download_artifacts(runs[0].info.run_id, _CANDIDATE_FOLDER, folder)
            )
            refuse_unusable(path, sha256=tags.get("sha256"), what=f"{name} (candidate)")
            return load_policy(path), {**tags, "run_id": runs[0].info.run_id}

    def text_of_run(self, run_id: str, file: str) -> str | None:
        """Return a text that was logged with a run, None where there is none of that name."""
        with answering(self.tracking_url), tempfile.TemporaryDirectory() as folder:
            if file not in {found.path for found in self._client.list_artifacts(run_id)}:
                return None
            path = self._client.download_artifacts(run_id, file, folder)
            return Path(path).read_text(encoding="utf-8")

    def load_policy(self, name: str, version_or_alias: str) -> LoadedPolicy | None:
        """Return the policy, None when no such version or alias is registered."""
        from intel_ml.intelligence.policy import load_policy  # noqa: PLC0415  # numpy and friends

        found = self.find(name, version_or_alias)
        if found is None:
            return None
        with self._checked(found) as folder:
            return LoadedPolicy(policy=load_policy(folder), **_origin(found))

    def load_archetypes(self, name: str, version_or_alias: str) -> LoadedArchetypes | None:
        """Return the archetypes, None when no such version or alias is registered."""
        from intel_ml.intelligence.clusters import Archetypes  # noqa: PLC0415  # scikit-learn

        found = self.find(name, version_or_alias)
        if found is None:
            return None
        with self._checked(found) as folder:
            return LoadedArchetypes(archetypes=Archetypes.load(folder), **_origin(found))

    def find(self, name: str, version_or_alias: str) -> Version | None:
        """Return what is registered under a version number or an alias, None when nothing is."""
        with answering(self.tracking_url):
            try:
                if version_or_alias.isdigit():
                    found = self._client.get_model_version(name, version_or_alias)
                else:
                    found = self._client.get_model_version_by_alias(name, version_or_alias)
            except mlflow_error() as error:
                if error.error_code in _ABSENT:
                    return None
                raise
            return _version(found, aliases=self._aliases(name).get(str(found.version), ()))

    def versions(self, name: str) -> list[Version]:
        """Return every version of a model, newest first."""
        with answering(self.tracking_url):
            found = self._client.search_model_versions(f"name = '{name}'")
            aliases = self._aliases(name)
            listed = [_version(v, aliases=aliases.get(str(v.version), ())) for v in found]
            return sorted(listed, key=lambda v: -int(v.version))

    def names(self) -> list[str]:
        """Return the names of the registered models."""
        with answering(self.tracking_url):
            return sorted(m.name for m in self._client.search_registered_models())

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version."""
        with answering(self.tracking_url):
            self._client.set_registered_model_alias(name, alias, version)

    def remove_alias(self, name: str, alias: str) -> None:
        """Point an alias at nothing."""
        with answering(self.tracking_url):
            self._client.delete_registered_model_alias(name, alias)

    def tag(self, name: str, version: str, *, tags: Mapping[str, str]) -> None:
        """Add tags to a version."""
        with answering(self.tracking_url):
            for tag, value in tags.items():
                self._client.set_model_version_tag(name, version, tag, value)

    def _register(self, model: Policy | Archetypes, *, registration: Registration) -> str:
        name, run_id = registration.name, registration.run_id
        with answering(self.tracking_url), _saved(model) as folder:
            refuse_unusable(folder, sha256=None, what=name)
            tags = {
                **registration.tags,
                **{f"metric.{k}": f"{v:.6g}" for k, v in registration.metrics.items()},
                "sha256": folder_sha256(folder),
                "features_hash": features_hash(),
                "git_revision": git_revision(),
            }
            self._client.log_artifacts(run_id, str(folder), _MODEL_FOLDER)
            self._create_model(name, registration.card)
            run = self._client.get_run(run_id)
            root = run.info.artifact_uri
            if notebook := run.data.tags.get("notebook"):
                tags["notebook"] = f"runs:/{run_id}/notebooks/{notebook}"
            created = self._client.create_model_version(
                name,
                source=f"{root}/{_MODEL_FOLDER}",
                run_id=run_id,
                tags=tags,
                description=registration.card,
                await_creation_for=0,
            )
            return str(created.version)

    def _create_model(self, name: str, card: str) -> None:
        try:
            self._client.create_registered_model(name, description=card)
        except mlflow_error() as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            self._client.update_registered_model(name, description=card)

    def _create_experiment(self, name: str) -> str:
        try:
            return str(self._client.create_experiment(name))
        except mlflow_error() as error:
            found = self._client.get_experiment_by_name(name)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
                raise
            return str(found.experiment_id)

    def _aliases(self, name: str) -> dict[str, tuple[str, ...]]:
        by_version: dict[str, tuple[str, ...]] = {}
        for alias, version in self._client.get_registered_model(name).aliases.items():
            by_version[str(version)] = (*by_version.get(str(version), ()), str(alias))
        return by_version

    @contextmanager
    def _checked(self, found: Version) -> Iterator[Path]:
        what = f"{found.name} version {found.version}"
        if found.tags.get("features_hash") != features_hash():
            raise ModelRefusedError(
                f"{what} was trained on other features ({found.tags.get('features_hash')}) "
                f"than these ({features_hash()}).",
                hint="Train it again: `intel-ml run train-policy`.",
            )
        with tempfile.TemporaryDirectory() as folder:
            with answering(self.tracking_url):
                path = Path(self._client.download_artifacts(found.run_id, _MODEL_FOLDER, folder))
            refuse_unusable(path, sha256=found.tags.get("sha256"), what=what)
            yield path


@contextmanager
def _saved(model: Policy | Archetypes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        yield Path(folder)


def _version(found: ModelVersion, *, aliases: tuple[str, ...]) -> Version:
    return Version(
        name=str(found.name),
        version=str(found.version),
        run_id=str(found.run_id),
        aliases=aliases,
        tags=dict(found.tags),
        card=str(found.description or ""),
    )


def _origin(found: Version) -> dict[str, str]:
    return {
        "name": found.name,
        "version": found.version,
        "run_id": found.run_id,
        "sha256": found.tags["sha256"],
        "features_hash": found.tags["features_hash"],
    }
