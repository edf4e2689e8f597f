# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which calls to AWS change something."""

from __future__ import annotations

import re

from lab.aws_call import AwsCall

# Operations that read, by how their names begin; and by their HTTP method where an API has no names on the wire.
_READING = re.compile(
    r"(Describe|Get|List|Head|Lookup|Search|Query|Scan|Select|BatchGet|Filter|Test|Validate|Estimate|Simulate|Preview|Check|StartQuery|StopQuery"
    r"|AssumeRole|Decode|HEAD |GET )"
)


def is_write(call: AwsCall) -> bool:
    """Whether a call changes something, if it is carried out. Dry runs do not, nor does assuming a role, which CloudTrail calls read-only."""
    return not call.dry_run and not _READING.match(call.action)
