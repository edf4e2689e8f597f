# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions whose text a person can act on: what was asked, what came back, what to do."""

from __future__ import annotations

from ansible_collections.trendmicro.cloudone.plugins.module_utils._printable import printable


class CloudOneError(Exception):
    """Base of every expected failure. ``str()`` of it is a complete message without any secret, whatever it quotes fit for a terminal."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class InputError(CloudOneError):
    """What the user asked for cannot be done as asked; nothing was changed."""


class ApiError(CloudOneError):
    """A Cloud One API refused a request, answered something unusable, or did not answer.

    :ivar status: HTTP status, or ``None`` when there was no (usable) answer.
    :ivar method: HTTP method of the request.
    :ivar path: path of the request below the base URL, without query.
    :ivar details: the reason the API itself gave, if any.
    """

    def __init__(self, message: str, *, method: str, path: str, status: int | None = None, details: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.method = method
        self.path = path
        self.details = details


class AwsError(CloudOneError):
    """AWS refused an operation or could not be asked.

    :ivar code: the AWS error code (``UnauthorizedOperation``, ...), or ``None`` when there was no answer.
    :ivar operation: the operation in IAM's notation (``ec2:DescribeInstances``).
    """

    def __init__(self, message: str, *, operation: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.operation = operation
