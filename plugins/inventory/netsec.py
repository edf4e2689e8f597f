# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet of Network Security virtual appliances as an inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: netsec
short_description: Network Security virtual appliances, from the Network Security API and EC2
description:
  - Joins what the Network Security API lists, all pages of it, with what EC2 says in several AWS accounts and regions, which are asked concurrently.
  - Each appliance is a host. Its variables tell what it is, where it is, and when its certificate expires, and groups tell which ones to renew. Opens no
    SSH connection and changes nothing.
  - The configuration is a YAML file whose name ends in C(.netsec.yml) or C(.netsec.yaml).
version_added: 1.0.0
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.cloudone
  - trendmicro.cloudone.cloudone.plugin
  - trendmicro.cloudone.aws
  - constructed
  - inventory_cache
options:
  plugin:
    description: Has to be V(trendmicro.cloudone.netsec).
    type: str
    required: true
    choices:
      - trendmicro.cloudone.netsec
  accounts:
    description:
      - The AWS accounts to search, each of them once. If empty, it is the one account that the AWS options above lead to.
      - Each element is a dictionary with any of C(assume_role_arn), C(assume_role_external_id), C(profile) and C(regions). What it lacks is taken from
        the option of the same name, except for the role. An empty element, C({}), is the account of the credentials themselves.
      - An appliance whose instance belongs to none of these accounts counts as hosted by the vendor. So name all accounts that have appliances.
    type: list
    elements: dict
    default: []
  regions:
    description:
      - AWS regions to search in each account besides those in which the API says that this account has appliances. The latter are always searched.
      - Needed for appliances that the API does not list, where it lists no other in the same account and region.
      - If this is empty and the API names no region for an account, O(region) is searched.
    type: list
    elements: str
    default: []
  concurrency:
    description:
      - How many requests are made at the same time.
    type: int
    default: 10
  renew_before:
    description:
      - How many days before it expires a certificate counts as expiring, from V(0) to V(730).
    type: int
    default: 30
  registration_tag:
    description:
      - Key of the EC2 tag that holds the time of the last registration.
    type: str
    default: trendmicro.cloudone:registered-at
  hosted_instance_ids:
    description:
      - Instance IDs of appliances that run on the vendor's infrastructure. The vendor renews them.
      - Only needed for those that cannot be told from others. See the variable C(netsec_status).
    type: list
    elements: str
    default: []
  unregistered_filters:
    description:
      - How to find appliances that the API does not list. Each element is a dictionary of filters of EC2's C(DescribeInstances), with a value or a list
        of values, which have to match all together. An instance that matches any of the elements counts as an appliance.
      - The vendor does not document what an appliance can be told by in EC2. The default is the description that the vendor's template for Gateway Load
        Balancers gives to the management interface. Appliances that were deployed in another way may need other filters, for example by a tag or an
        image (C(image-id)).
      - Besides, an instance counts as an appliance if it has the O(registration_tag) or the mark of an unfinished renewal.
      - If empty, only appliances that the API lists are in the inventory.
    type: list
    elements: dict
    default:
      - network-interface.description:
          - Network Security Mgmt Port
  hostnames:
    description:
      - What to call the hosts, in order of preference. V(instance_id), V(name) (the tag C(Name)), V(host_name) (as the API has it), V(private_address) (of
        the management interface), or V(tag:KEY).
      - What an appliance does not have is passed over, and so is what several have, what is the name of a group, and what is made of anything but
        letters, digits, hyphens, dots and underscores. In the end it is the instance ID.
    type: list
    elements: str
    default:
      - instance_id
  strict:
    description:
      - If V(true), an account or region that cannot be asked is an error, and so is an invalid entry of O(compose), O(groups) or O(keyed_groups).
      - If V(false), what cannot be asked is a warning that names account and region, and its appliances are in the group C(netsec_unknown), with the
        reason in C(netsec_reason). Invalid entries are passed over.
  cache:
    description:
      - Whether to keep what was found out. What was found out with errors is not kept.
      - The state of the certificates is that of the time when it was found out.
notes:
  - The options for the Network Security API and for AWS, and those in O(accounts), can be templates.
  - The IAM actions needed in each account are C(ec2:DescribeInstances), C(ec2:DescribeTags) and C(ec2:DescribeSecurityGroups). For instances whose
    management interface these do not tell, also C(ec2:DescribeInstanceAttribute), C(elasticloadbalancing:DescribeTargetGroups) and
    C(elasticloadbalancing:DescribeTargetHealth). C(sts:GetCallerIdentity) is asked, which needs no right. The credentials need C(sts:AssumeRole) for the
    roles.
  - All hosts are in the group C(netsec_appliances), and in one of C(netsec_valid), C(netsec_expiring), C(netsec_expired), C(netsec_unregistered) (EC2 has
    it, the API does not list it), C(netsec_hosted) and C(netsec_unknown). C(netsec_orphaned) has those that the API lists and EC2 does not have any more;
    they are in C(netsec_unknown), too.
  - The variables of a host begin with C(netsec_). They are C(netsec_instance_id), C(netsec_appliance_id), C(netsec_name) (the tag C(Name)),
    C(netsec_host_name), C(netsec_tos_version), C(netsec_dv_version), C(netsec_account_id), C(netsec_region), C(netsec_availability_zone), C(netsec_vpc_id),
    C(netsec_instance_type), C(netsec_instance_state), C(netsec_tags), C(netsec_deployment) (V(inline), V(gateway_load_balancer) or V(hosted)),
    C(netsec_management_interface), C(netsec_registered), C(netsec_hosted), C(netsec_orphaned), C(netsec_status), C(netsec_registered_at),
    C(netsec_expires_at), C(netsec_days_left), C(netsec_evidence), C(netsec_reason). What is not known is V(null), and C(netsec_tags) is empty. Their
    meaning is that of the return values of M(trendmicro.cloudone.netsec_certificate_info).
  - Where the account was reached by a role, C(netsec_assume_role_arn) and C(netsec_assume_role_external_id) are set.
  - C(ansible_host) is the private address of the management interface, where that is known. C(ansible_connection) and C(ansible_user) are set for the
    group C(netsec_appliances), so that variables of your own go before them.
seealso:
  - module: trendmicro.cloudone.netsec_certificate_info
  - module: trendmicro.cloudone.netsec_appliance_info
  - plugin: trendmicro.cloudone.nsva
    plugin_type: connection
"""

EXAMPLES = r"""
# fleet.netsec.yml: the account of the AWS credentials. The API key is in the environment variable CLOUDONE_API_KEY.
plugin: trendmicro.cloudone.netsec
cloudone_region: us-1

---
# accounts.netsec.yml: three AWS accounts, and two regions that may have appliances of which the API knows none.
plugin: trendmicro.cloudone.netsec
cloudone_region: de-1
accounts:
  - {}
  - assume_role_arn: arn:aws:iam::111122223333:role/netsec-inventory
    assume_role_external_id: fleet
  - assume_role_arn: arn:aws:iam::444455556666:role/netsec-inventory
    regions: [ap-southeast-2]
regions: [eu-central-1, eu-west-1]
renew_before: 60
strict: true

---
# by_team.netsec.yml: groups and names of one's own, kept for an hour.
plugin: trendmicro.cloudone.netsec
cloudone_region: us-1
hostnames: [name, instance_id]
keyed_groups:
  # region_eu_central_1, ...
  - key: netsec_region
    prefix: region
  # team_network, ...; appliances without that tag are in none.
  - key: netsec_tags.Team | default([])
    prefix: team
groups:
  # Whose certificate ends within a quarter, as far as that is known.
  quarter: netsec_days_left is not none and netsec_days_left <= 90
compose:
  ansible_nsva_bastion_host: "'bastion.' ~ netsec_region ~ '.example.com'"
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/netsec
cache_timeout: 3600
"""

import importlib
import json
import traceback
import typing as t

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec, cloudone_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.cache_key import cache_key
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.naming import ALL, GROUPS, check_hostnames, host_names, ready_groups
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._unsafe import make_unsafe

FILE_NAMES = (".netsec.yml", ".netsec.yaml")

# Options that can be templates, and that decide what is found out together with those below.
_REACH = (*cloudone_spec(), *aws_spec(), "accounts")
_QUESTION = ("regions", "concurrency", "renew_before", "registration_tag", "hosted_instance_ids", "unregistered_filters")

Hosts = list[dict[str, t.Any]]


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = "trendmicro.cloudone.netsec"

    def verify_file(self, path: str) -> bool:
        return path.endswith(FILE_NAMES) and super().verify_file(path)

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            check_hostnames(self.get_option("hostnames"))
            self._populate(self._hosts(cache))
        except CloudOneError as error:
            raise AnsibleParserError(str(error)) from error

    def _hosts(self, may_read_cache: bool) -> Hosts:
        """The variables of all appliances, from the cache or from outside."""
        self.templar.available_variables = self._vars
        params = self.templar.template({name: self.get_option(name) for name in _REACH})
        params.update({name: self.get_option(name) for name in _QUESTION})
        if not self.get_option("cache"):
            return self._ask(params)[0]
        key = f"{self.NAME}_{cache_key(params)}"
        if may_read_cache:
            try:
                # One text, which costs much less than data that the cache would have to look through.
                return t.cast(Hosts, json.loads(self._cache[key]["hosts"]))
            except KeyError:
                pass
        hosts, complete = self._ask(params)
        if complete:
            self._cache[key] = {"hosts": json.dumps(hosts)}
        return hosts

    def _ask(self, params: t.Mapping[str, t.Any]) -> tuple[Hosts, bool]:
        """Ask the API and AWS.

        :returns: the variables of all appliances, and whether all could be asked.
        """
        for name in ("requests", "boto3"):
            try:
                importlib.import_module(name)
            except ImportError as error:
                raise AnsibleError(f"{missing_required_lib(name)}\n{traceback.format_exc()}") from error
        # These import boto3, which takes longer than reading the cache.
        from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import netsec_api
        from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.options import read_query
        from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.survey import survey
        from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import utc_now

        query = read_query(params)
        found = survey(netsec_api(params, query.concurrency), query, utc_now())
        for warning in found.warnings:
            self.display.warning(warning)
        if found.errors and self.get_option("strict"):
            raise AnsibleParserError("\n".join(found.errors))
        for error in found.errors:
            self.display.warning(error)
        return found.hosts, not found.errors

    def _populate(self, hosts: Hosts) -> None:
        for group in (ALL, *GROUPS):
            self.inventory.add_group(group)
        # For the group and not for each host, so that the user's own variables of groups go before them.
        self.inventory.set_variable(ALL, "ansible_connection", "trendmicro.cloudone.nsva")
        self.inventory.set_variable(ALL, "ansible_user", "admin")
        names = host_names(hosts, self.get_option("hostnames"), self.inventory.groups)
        for name, variables in zip(names, hosts, strict=True):
            if name is None:
                self.display.warning(f"An appliance is left out, since its instance ID cannot be the name of a host: {variables['netsec_instance_id']!r}.")
                continue
            self._add_host(name, {variable: make_unsafe(value) for variable, value in variables.items()})

    def _add_host(self, name: str, variables: dict[str, t.Any]) -> None:
        for group in ready_groups(variables):
            self.inventory.add_host(name, group)
        # inventory.set_variable() would check each name anew: a second for thousands of hosts.
        self.inventory.hosts[name].vars.update(variables)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, name, strict=strict)
