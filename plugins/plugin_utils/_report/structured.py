# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as JSON, for other programs. The schema is documented in docs/reports.md."""

from __future__ import annotations

import dataclasses
import json

from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import SCHEMA_VERSION, Document, Table


def to_json(document: Document) -> str:
    """Write the document as JSON."""
    report = {
        "schema_version": SCHEMA_VERSION,
        "generated_at": to_text(document.generated_at),
        "kind": document.kind,
        "title": document.title,
        "headline": document.headline,
        "figures": [dataclasses.asdict(figure) for figure in document.figures],
        "actions": [dataclasses.asdict(action) for action in document.actions],
        "charts": [dataclasses.asdict(chart) for chart in document.charts],
        "tables": [_table(table) for table in document.tables],
        "changes": [dataclasses.asdict(change) for change in document.changes],
        "notes": list(document.notes),
    }
    return json.dumps(report, ensure_ascii=False, indent=1) + "\n"


def _table(table: Table) -> dict[str, object]:
    names = [column.name for column in table.columns]
    return {
        "name": table.name,
        "caption": table.caption,
        "columns": [{"name": column.name, "label": column.label} for column in table.columns],
        "rows": [dict(zip(names, row, strict=True)) for row in table.rows],
    }
