# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of reports: how entries become a document. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.certificates import certificates
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.fields import Entry
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.log_streaming import log_streaming
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import Document
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.renewal import renewal
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.rtm import rtm

# By the name of the kind: a function of the entries and of the time that the report is made at.
KINDS: Mapping[str, Callable[[Sequence[Entry], datetime], Document]] = {
    "certificates": certificates,
    "renewal": renewal,
    "log_streaming": log_streaming,
    "rtm": rtm,
}
