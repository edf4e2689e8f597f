# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that reach AWS; the code side is ``_arguments.aws_spec()``."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  profile:
    description:
      - Name of a profile in the AWS configuration files.
      - What is omitted, here and below, is left to boto3 which looks at E(AWS_PROFILE), E(AWS_ACCESS_KEY_ID), E(AWS_SECRET_ACCESS_KEY),
        E(AWS_SESSION_TOKEN), the configuration files, and the role of the machine.
    type: str
  access_key:
    description:
      - AWS access key ID.
    type: str
  secret_key:
    description:
      - AWS secret access key that belongs to O(access_key).
    type: str
  session_token:
    description:
      - AWS session token, for temporary credentials.
    type: str
  assume_role_arn:
    description:
      - ARN of an IAM role to work with, for example in another account. It is assumed with the credentials from the options above, which need
        C(sts:AssumeRole) for it, and anew before its own credentials expire.
      - STS is asked in O(region), or else in V(us-east-1), since regions that were opted into refuse tokens of its global endpoint.
    type: str
  assume_role_external_id:
    description:
      - The external ID that the trust policy of O(assume_role_arn) demands, if it does.
    type: str
  region:
    description:
      - AWS region to use where nothing more specific is known.
      - If not given, boto3 takes it from E(AWS_REGION), E(AWS_DEFAULT_REGION) or the profile.
    type: str
  endpoint_url:
    description:
      - URL of the AWS endpoint, replacing the regular ones.
      - If not given, boto3 looks at E(AWS_ENDPOINT_URL) and the profile.
    type: str
requirements:
  - boto3 >= 1.34.65
notes:
  - Proxies are taken from the environment variables E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY), the certification authorities to trust, if they are not the
    usual ones, from E(AWS_CA_BUNDLE) or C(ca_bundle) of the AWS profile.
"""
