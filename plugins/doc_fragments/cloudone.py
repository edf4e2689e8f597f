# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that reach the Network Security API; the code side is ``_arguments.cloudone_spec()``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  api_key:
    description:
      - API key of Trend Cloud One. Its role needs the rights for what the module does.
      - If not given, the environment variable E(CLOUDONE_API_KEY) is used.
    type: str
    required: true
  cloudone_region:
    description:
      - Region of the Trend Cloud One account, for example V(us-1) or V(de-1). It is no AWS region.
      - If not given, the environment variable E(CLOUDONE_REGION) is used.
      - Not used when O(netsec_url) is given or O(legacy_account) is V(true).
    type: str
    default: us-1
  netsec_url:
    description:
      - Base URL of the Network Security API, replacing the one that follows from O(cloudone_region) or O(legacy_account).
      - If not given, the environment variable E(CLOUDONE_NETSEC_URL) is used.
    type: str
  legacy_account:
    description:
      - Whether the account is a legacy one, created before 2021-08-04. Such accounts have another base URL and another header for the API key.
    type: bool
    default: false
  api_timeout:
    description:
      - How many seconds to wait for a connection to the API, and then for its answer. Applies to each attempt of a request.
    type: int
    default: 30
  validate_certs:
    description:
      - Whether the TLS certificate of the API is verified. Prefer O(ca_path) over V(false).
    type: bool
    default: true
  ca_path:
    description:
      - File or directory with the certification authorities to trust.
      - If not given, the environment variable E(REQUESTS_CA_BUNDLE) is used, else the authorities that the Python library trusts by default.
    type: path
requirements:
  - requests >= 2.28
notes:
  - Proxies are taken from the environment variables E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY).
  - Requests that may be repeated without harm are retried when the API is busy or down (HTTP 429, 502, 503 and 504, honouring C(Retry-After)),
    or when the connection breaks.
"""

    # Beside the above, for plugins, which have Ansible read the environment.
    PLUGIN = r"""
options:
  api_key:
    env:
      - name: CLOUDONE_API_KEY
  cloudone_region:
    env:
      - name: CLOUDONE_REGION
  netsec_url:
    env:
      - name: CLOUDONE_NETSEC_URL
"""
