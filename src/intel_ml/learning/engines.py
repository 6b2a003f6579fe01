"""The same features on another engine: DuckDB on one machine, Spark for those who outgrow it.

Reads   a folder of Parquet files (`data.store.history_files`), and moments.
Gives   a frame with one row a (moment, entity), as PostgreSQL would give it.
Never   defines a feature: the expressions are those the database runs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intel_ml.core.errors import NotFoundError, UnavailableError, UnknownNameError
from intel_ml.data.store.expressions import history_tables, moment_in_zone, moment_rows
from intel_ml.data.store.history_files import FILES, arrow_schema
from intel_ml.features.history import HistoryTables
from intel_ml.features.signature import signature_expression
from intel_ml.features.state import state_expression

if TYPE_CHECKING:
    import pandas as pd

ENGINES = ("duckdb", "spark")
KINDS = {"state": state_expression, "signature": signature_expression}


def features_of_files(
    folder: Path, *, as_of: Sequence[datetime], which: str = "state", engine: str = "duckdb"
) -> pd.DataFrame:
    """Return states or signatures of every entity of an exported history at each UTC moment."""
    if which not in KINDS:
        raise UnknownNameError(kind="kind of features", name=which, known=KINDS)
    if engine not in ENGINES:
        raise UnknownNameError(kind="engine", name=engine, known=ENGINES)
    for name in FILES:
        if not (folder / f"{name}.parquet").is_file():
            raise NotFoundError(
                f"{folder.name} has no {name}.parquet.",
                hint="`intel-ml features export` writes such a folder.",
            )
    expression = KINDS[which](HistoryTables(**history_tables()))
    run = _in_duckdb if engine == "duckdb" else _on_spark
    return run(folder, expression, _moments(folder, as_of))


def _moments(folder: Path, as_of: Sequence[datetime]) -> Any:
    import pyarrow as pa  # noqa: PLC0415  # heavy
    import pyarrow.parquet as pq  # noqa: PLC0415  # heavy

    accounts = pq.read_table(folder / "accounts.parquet", columns=["ad_account_id", "time_zone"])
    asked = [
        moment_in_zone(one["ad_account_id"], one["time_zone"], moment)
        for one in accounts.to_pylist()
        for moment in as_of
    ]
    return pa.Table.from_pylist(moment_rows(asked), schema=arrow_schema("moments"))


def _in_duckdb(folder: Path, expression: Any, moments: Any) -> pd.DataFrame:
    import duckdb  # noqa: PLC0415  # heavy
    import ibis  # noqa: PLC0415  # heavy

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("moments", moments)
        for name in FILES:
            relation = connection.read_parquet(str(folder / f"{name}.parquet"))
            relation.create_view(history_tables()[name].get_name())
        sql = str(ibis.to_sql(expression, dialect="duckdb"))
        found: pd.DataFrame = connection.sql(sql).to_arrow_table().to_pandas()
        return found


def _on_spark(folder: Path, expression: Any, moments: Any) -> pd.DataFrame:
    """Run on the Spark session there is, or on one of this machine alone."""
    import ibis  # noqa: PLC0415  # heavy

    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise UnavailableError(
            service="Spark", check="Install the extra: pip install 'intel-ml[spark]' (needs Java)."
        ) from error
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = SparkSession.getActiveSession() or _local_session(SparkSession.builder)
    session.createDataFrame(moments).createOrReplaceTempView("moments")
    for name in FILES:
        files = session.read.parquet(str(folder / f"{name}.parquet"))
        files.createOrReplaceTempView(history_tables()[name].get_name())
    ibis.pyspark.connect(session)  # Without it Ibis doesn't know how Spark treats NaN.
    sql = str(ibis.to_sql(expression, dialect="pyspark"))
    found: pd.DataFrame = session.sql(sql).toArrow().to_pandas()
    return found


def _local_session(builder: Any) -> Any:
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "8",
    }
    builder = builder.master("local[*]").appName("intel-ml")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session
