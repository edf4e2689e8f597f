#!/usr/bin/python
# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create or revoke deployment tokens."""

from __future__ import annotations

DOCUMENTATION = r"""
module: netsec_deployment_token
short_description: Create or revoke deployment tokens for Network Security appliances
version_added: 1.0.0
description:
  - Creates deployment tokens, with which appliances register, or revokes them.
  - The vendor does not document how the API creates them. The defaults of O(path), O(body), O(token_field) and O(id_field) are B(a guess) that
    nobody has verified. Where they do not fit, set these options, or create the tokens by hand in Network > Appliances and do without this module.
  - The result contains the tokens. Set C(no_log) on the task.
options:
  state:
    description:
      - V(present) creates tokens, at each run new ones.
      - V(absent) revokes the tokens O(token_ids).
    type: str
    choices:
      - present
      - absent
    default: present
  instance_ids:
    description:
      - Create one token for each of these EC2 instance IDs. They are only a name in the result, the API is not told.
    type: list
    elements: str
  count:
    description:
      - Create that many tokens.
    type: int
  token_ids:
    description:
      - IDs of the tokens to revoke, as returned in RV(tokens[].id).
    type: list
    elements: str
  path:
    description:
      - Path of the endpoint, below the base URL of the API. The default is a guess.
    type: str
    default: /deploymenttokens
  body:
    description:
      - JSON object to send. The default is a guess.
    type: dict
    default: {}
  token_field:
    description:
      - Field of the answer that holds the token; dots lead into nested objects. The default is a guess.
    type: str
    default: token
  id_field:
    description:
      - Field of the answer that holds the ID of the token, by which it can be revoked; dots lead into nested objects. The default is a guess.
    type: str
    default: id
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.actiongroup_netsec
  - trendmicro.cloudone.cloudone
  - trendmicro.cloudone.concurrency
attributes:
  check_mode:
    support: partial
    details:
      - With O(state=present) no token is created, so RV(tokens) holds none.
      - With O(state=absent) every token is taken to exist, since the API is not known to list them.
  diff_mode:
    support: N/A
    details:
      - A token is a secret.
  idempotent:
    support: partial
    details:
      - O(state=absent) is. O(state=present) creates new tokens at each run, since existing ones cannot be read again.
seealso:
  - module: trendmicro.cloudone.nsva_registration
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
"""

EXAMPLES = r"""
- name: Create one token for each appliance
  trendmicro.cloudone.netsec_deployment_token:
    instance_ids: "{{ instance_ids }}"
  register: created
  no_log: true

- name: Revoke the tokens again
  trendmicro.cloudone.netsec_deployment_token:
    state: absent
    token_ids: "{{ created.tokens | map(attribute='id') | select | list }}"
"""

RETURN = r"""
tokens:
  description:
    - The tokens, in the order of O(instance_ids), or one entry for each of O(token_ids).
    - When some failed, the others are listed all the same, so that they can be used or revoked.
  type: list
  elements: dict
  returned: always, unless the failure concerns all
  contains:
    instance_id:
      description: The instance ID for which the token was created, else null.
      type: str
      returned: always
      sample: i-0123456789abcdef0
    token:
      description: The token. Secret. Null where none was created.
      type: str
      returned: always
      sample: the-secret-token
    id:
      description: ID of the token, or null if the answer has none.
      type: str
      returned: always
      sample: "17"
    changed:
      description: Whether the token was created or revoked, or would be in check mode.
      type: bool
      returned: always
      sample: true
    failed:
      description: Whether this token failed.
      type: bool
      returned: always
      sample: false
    msg:
      description: Why it failed.
      type: str
      returned: when it failed
      sample: >-
        POST https://network.us-1.cloudone.trendmicro.com/api/deploymenttokens: HTTP 404: no such path. The endpoint for deployment tokens is not
        documented: set its path, or create a token by hand.
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import refuse_duplicates
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import cloudone_spec, concurrency_spec, require_libraries
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi, netsec_api
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import Result

Params = t.Mapping[str, t.Any]


def create(api: NetsecApi, params: Params, *, check_mode: bool) -> list[Result]:
    """Create one token for each instance ID, or as many as are asked for."""
    names: list[str | None] = params["instance_ids"] if params["instance_ids"] is not None else [None] * params["count"]
    refuse_duplicates(name for name in names if name is not None)

    def create_one(_name: str | None) -> Result:
        if check_mode:
            return {}
        created = api.create_deployment_token(params["path"], params["body"], params["token_field"], params["id_field"])
        return {"token": created.token, "id": created.id}

    outcomes = for_each(create_one, names, concurrency=params["concurrency"])
    return [entry(outcome, {"instance_id": outcome.item}, {"changed": True}) for outcome in outcomes]


def revoke(api: NetsecApi, params: Params, *, check_mode: bool) -> list[Result]:
    """Revoke the named tokens."""

    def revoke_one(token_id: str) -> Result:
        return {"changed": check_mode or api.revoke_deployment_token(params["path"], token_id)}

    outcomes = for_each(revoke_one, dict.fromkeys(params["token_ids"]), concurrency=params["concurrency"])
    return [entry(outcome, {"id": outcome.item}, {}) for outcome in outcomes]


def entry(outcome: Outcome[t.Any, Result], name: Result, success: Result) -> Result:
    common = {"instance_id": None, "token": None, "id": None, "changed": False, **name}
    if outcome.error:
        return {**common, "failed": True, "msg": str(outcome.error)}
    return {**common, "failed": False, **success, **(outcome.value or {})}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "instance_ids": {"type": "list", "elements": "str"},
            "count": {"type": "int"},
            "token_ids": {"type": "list", "elements": "str", "no_log": False},
            "path": {"type": "str", "default": "/deploymenttokens"},
            "body": {"type": "dict", "default": {}},
            "token_field": {"type": "str", "default": "token", "no_log": False},
            "id_field": {"type": "str", "default": "id"},
            **cloudone_spec(),
            **concurrency_spec(),
        },
        mutually_exclusive=[("instance_ids", "count")],
        required_if=[("state", "present", ("instance_ids", "count"), True), ("state", "absent", ("token_ids",))],
        supports_check_mode=True,
    )
    require_libraries(module, "requests")
    try:
        api = netsec_api(module.params, module.params["concurrency"])
        work = create if module.params["state"] == "present" else revoke
        tokens = work(api, module.params, check_mode=module.check_mode)
    except CloudOneError as error:
        module.fail_json(msg=str(error))
    changed = any(token["changed"] for token in tokens)
    failures = sorted({token["msg"] for token in tokens if token["failed"]})
    if failures:
        failed = sum(token["failed"] for token in tokens)
        module.fail_json(msg="\n".join([f"{failed} of {len(tokens)} tokens failed.", *failures]), changed=changed, tokens=tokens)
    module.exit_json(changed=changed, tokens=tokens)


if __name__ == "__main__":
    main()
