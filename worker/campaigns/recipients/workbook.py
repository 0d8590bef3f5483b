"""Recipients from an Excel workbook (.xlsx): its first visible sheet, streaming."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from worker.campaigns.definition.errors import CampaignError

from .table_file import MOST_COLUMNS, Cells, TableFile

MOST_ROWS = 1_048_576
MOST_BYTES, MOST_SHEET_BYTES = 64 << 20, 1 << 30
_SHEET = "xl/worksheets/"
_BROKEN = "a workbook that cannot be read: save the sheet as CSV UTF-8"


class Workbook(TableFile):
    """Read by openpyxl, which keeps the workbook's texts in memory and streams the rows."""

    @contextmanager
    def cells(self) -> Iterator[Cells]:
        from openpyxl import load_workbook  # 0.2 s and 20 MB that nobody else needs

        with self.path.open("rb") as file:
            try:
                _check_size(file)
                book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
                sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
                sheets[0].reset_dimensions()  # what a file says of its size is not to be trusted
            except CampaignError:
                raise
            except Exception:  # noqa: BLE001  openpyxl raises whatever it meets in a broken file
                raise CampaignError({"recipients": _BROKEN}) from None
            yield _cells(sheets[0])


def _check_size(file: Any) -> None:
    """Refuse what would unpack to more than is ever needed."""
    for part in zipfile.ZipFile(file).infolist():
        if part.file_size > (MOST_SHEET_BYTES if part.filename.startswith(_SHEET) else MOST_BYTES):
            raise CampaignError(
                {"recipients": "a workbook that unpacks to too much: save the sheet as CSV UTF-8"}
            )
    file.seek(0)


def _cells(sheet: Any) -> Cells:
    rows = sheet.iter_rows(values_only=True)
    for line in range(1, MOST_ROWS + 1):
        try:
            row = next(rows, None)
        except Exception:  # noqa: BLE001  likewise
            raise CampaignError({"recipients": f"line {line}: {_BROKEN}"}) from None
        if row is None:
            return
        yield line, [_text(value) for value in row] if len(row) <= MOST_COLUMNS else f"{len(row)} cells"
    yield MOST_ROWS + 1, "more rows than a sheet has"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return str(value)
