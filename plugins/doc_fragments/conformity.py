# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that reach the Conformity API; the code side is ``_arguments.conformity_spec()``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  api_key:
    description:
      - API key of Trend Cloud One or of Conformity. Its role needs the rights for what the module does.
      - If not given, the environment variable E(CLOUDONE_API_KEY) is used.
    type: str
    required: true
  cloudone_region:
    description:
      - Region of the Trend Cloud One account. Conformity is known to be in V(us-1), V(in-1), V(gb-1), V(jp-1), V(de-1), V(au-1), V(ca-1) and V(sg-1).
        It is no AWS region.
      - If not given, the environment variable E(CLOUDONE_REGION) is used.
      - Not used when O(conformity_url) is given.
    type: str
    default: us-1
  conformity_url:
    description:
      - Base URL of the Conformity API, replacing the one that follows from O(cloudone_region).
      - For an account of the former Cloud Conformity, C(https://us-west-2-api.cloudconformity.com/v1), or C(eu-west-1) or C(ap-southeast-2) in it.
      - For Trend Vision One, C(https://api.xdr.trendmicro.com/beta/c1/conformity), or the host name of another region,
        together with O(conformity_authorization=bearer).
      - If not given, the environment variable E(CLOUDONE_CONFORMITY_URL) is used.
    type: str
  conformity_authorization:
    description:
      - How the API key is presented. V(apikey) suits Trend Cloud One and the former Cloud Conformity, V(bearer) Trend Vision One.
    type: str
    choices:
      - apikey
      - bearer
    default: apikey
  api_timeout:
    description:
      - How many seconds to wait for a connection to the API, and then for its answer. Applies to each attempt of a request.
      - The vendor says that a request may take 30 seconds, so the default is above that.
    type: int
    default: 60
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
  - Requests that only read are retried when the API is busy or down (HTTP 429, 502, 503 and 504, honouring C(Retry-After)),
    or when the connection breaks.
  - The API answers a wrong key and a missing right alike, with HTTP 403.
"""
