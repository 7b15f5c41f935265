"""Every report says the same of the same events, whether SQLite or ClickHouse keeps them."""

from pathlib import Path

import pytest

from saastracker.cli.options import Installation
from saastracker.contracts import Store
from tests.same_reports import OpenOther, SameReports


class TestSameReports(SameReports):
    details = 1
    every = 2

    @pytest.fixture(scope="class")
    @classmethod
    def open_other(cls) -> OpenOther:
        from saastracker_clickhouse.rows import ClickHouseRows

        def open_rows(folder: Path, installation: Installation) -> Store:
            return installation.records.store(ClickHouseRows(f"chdb://{folder / 'engine'}"))

        return open_rows
