# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to AWS: a boto3 session, its clients, and calls whose failures name the IAM action."""

from __future__ import annotations

import functools
import os
import re
import threading
import typing as t
from datetime import datetime
from urllib.parse import urlsplit

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome
from ansible_collections.trendmicro.cloudone.plugins.module_utils._printable import sentence
from ansible_collections.trendmicro.cloudone.plugins.module_utils._surroundings import check_authorities, check_proxy

try:
    import boto3
    import botocore.loaders
    import botocore.session
    import botocore.utils
    from botocore.config import Config
    from botocore.credentials import AssumeRoleCredentialFetcher, CredentialResolver, DeferredRefreshableCredentials
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,
        HTTPClientError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        SSLError,
    )
    from botocore.parsers import ResponseParserError
    from botocore.utils import get_environ_proxies
except ImportError:
    pass  # Modules call require_libraries() before they come here.

# boto3 makes its clients' methods at run time, so they have no static types.
Client = t.Any

# EC2 takes at most this many values in one filter.
FILTER_VALUES = 200

# What services call the marker of the next page, and how they take it back: EC2, CloudWatch Logs, Elastic Load Balancing, IAM.
_PAGE_MARKERS = (("NextToken", "NextToken"), ("nextToken", "nextToken"), ("NextMarker", "Marker"), ("Marker", "Marker"))

_XML = {"ec2", "query"}

# What ends a list that never would.
MOST_PAGES = 10_000

_CHECK_THE_WAY = "Check the network, the proxy settings and, if one is set, endpoint_url."
# What botocore's reading of an answer raises that is none of AWS: text for a number, no base64, other XML, too deep.
_MALFORMED = (ValueError, KeyError, OverflowError, RecursionError)

DENIED = {"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"}
THROTTLED = {"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException"}
_BAD_CREDENTIALS = {
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_LONGEST_REASON = 300
# Some operations need rights that are not named like them (iam:PassRole, logs:TagResource): AWS's reason says which.
_LACKING_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)")

ASSUME_ROLE = "sts:AssumeRole"
ROLE_SESSION_NAME = "trendmicro.cloudone"
# Where a role is assumed if there is no default region.
STS_REGION = "us-east-1"


class AwsCredentialsError(AwsError):
    """AWS does not accept the credentials, or there are none. A region that is not enabled answers the same."""


_making_clients = threading.Lock()


class Response(dict[str, t.Any]):
    """An answer of AWS. What it lacks, such as all of it if a proxy answered with a page of its own, is an error that a person can read.

    :ivar operation: what it answers, in IAM's notation.
    """

    def __init__(self, operation: str, content: t.Mapping[str, t.Any]) -> None:
        super().__init__(content)
        self.operation = operation

    def __missing__(self, key: str) -> t.Any:
        raise _unreadable(self.operation, f"it has no {key}")


class AwsClients:
    """Clients of one boto3 session, made once for each service and region.

    Clients may be used from many threads, but the session that makes them may not: a lock guards it. It is one for all sessions, as they share
    what they read about AWS's services.
    """

    def __init__(self, params: t.Mapping[str, t.Any], *, concurrency: int) -> None:
        """
        :param params: module parameters as in ``aws_spec()``.
        :param concurrency: how many threads will use a client at the same time.
        :raises InputError: if ``concurrency`` is not positive, only half of a pair of keys is given, or there are no authorities to trust
            where the environment says.
        :raises AwsCredentialsError: if the profile does not exist, or there are no credentials with which to assume a role.
        """
        if concurrency < 1:
            raise InputError(f"concurrency must be at least 1, not {concurrency}.")
        if bool(params.get("access_key")) != bool(params.get("secret_key")):
            raise InputError("access_key and secret_key belong together: set both or neither.")
        if params.get("assume_role_external_id") and not params.get("assume_role_arn"):
            raise InputError("assume_role_external_id is for assume_role_arn, which is not set.")
        self._endpoint_url = params.get("endpoint_url")
        self._config = Config(
            user_agent_extra="trendmicro.cloudone",
            retries={"mode": "standard", "max_attempts": 5},
            max_pool_connections=concurrency,
            connect_timeout=10,
        )
        self._clients: dict[tuple[str, str], Client] = {}
        try:
            core = _core_session(params.get("profile"))
            self._session: t.Any = boto3.session.Session(
                profile_name=params.get("profile"),
                aws_access_key_id=params.get("access_key"),
                aws_secret_access_key=params.get("secret_key"),
                aws_session_token=params.get("session_token"),
                # boto3 itself does not know AWS_REGION, which most other AWS tools use.
                region_name=params.get("region") or os.environ.get("AWS_REGION"),
                botocore_session=core,
            )
            self._default_region = self._session.region_name
            check_authorities(core.get_config_variable("ca_bundle"), "the environment variable AWS_CA_BUNDLE, or ca_bundle in the AWS profile")
            if params.get("assume_role_arn"):
                self._session = self._session_of_role(core, params)
        except BotoCoreError as error:
            raise _unanswered("sts:GetCallerIdentity", error) from error

    def _session_of_role(self, core: t.Any, params: t.Mapping[str, t.Any]) -> t.Any:
        """A session with the credentials of a role, which are fetched when first needed, and again before they expire."""
        external_id = params.get("assume_role_external_id")
        region = self._default_region or STS_REGION
        credentials = core.get_credentials()
        if credentials is None:
            raise NoCredentialsError()
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=functools.partial(self._make_client, core.create_client, region=region),
            source_credentials=credentials,
            role_arn=params["assume_role_arn"],
            extra_args={"RoleSessionName": ROLE_SESSION_NAME, **({"ExternalId": external_id} if external_id else {})},
        )
        providers: list[t.Any] = [_RoleProvider(fetcher.fetch_credentials)]
        core_of_role = _core_session(params.get("profile"))
        core_of_role.register_component("credential_provider", CredentialResolver(providers))
        return boto3.session.Session(profile_name=params.get("profile"), region_name=self._default_region, botocore_session=core_of_role)

    def regions(self, wanted: t.Sequence[str]) -> list[str]:
        """The wanted regions, or else the default one.

        :raises InputError: if none is wanted and there is no default.
        """
        if wanted:
            return list(dict.fromkeys(wanted))
        if self._default_region:
            return [self._default_region]
        raise InputError("No AWS region is known. Set regions or region, the environment variable AWS_DEFAULT_REGION, or a region in the AWS profile.")

    def client(self, service: str, region: str) -> Client:
        """The client of ``service`` in ``region``.

        :raises AwsError: if boto3 cannot make it (no such region, bad endpoint URL).
        """
        with _making_clients:
            client = self._clients.get((service, region))
            if client is None:
                try:
                    client = self._make_client(self._session.client, service, region)
                except (BotoCoreError, ValueError) as error:
                    message = f"boto3 cannot reach {service} in the region {region!r}: {sentence(_excerpt(error))}"
                    raise AwsError(f"{message} Check the region and, if one is set, endpoint_url.", operation=f"{service}:*") from error
                self._clients[service, region] = client
            return client

    def _make_client(self, make: t.Callable[..., Client], service: str, region: str, **more: t.Any) -> Client:
        """Make a client, and check where it goes: boto3 does so only when it goes there, and then with a traceback, or with the proxy's password.

        :param more: the credentials, where they are not those of the session.
        """
        client = make(service, region_name=region, endpoint_url=self._endpoint_url, config=self._config, **more)
        endpoint = urlsplit(client.meta.endpoint_url)
        if endpoint.port == 0:
            raise ValueError(f"Invalid endpoint: {client.meta.endpoint_url}")
        check_proxy(get_environ_proxies(client.meta.endpoint_url).get(endpoint.scheme))
        return client

    def ec2(self, region: str) -> Client:
        """The EC2 client of ``region``."""
        return self.client("ec2", region)

    def account_id(self, region: str) -> str:
        """ID of the AWS account that the credentials belong to; needs no permission."""
        return str(call(self.client("sts", region), "get_caller_identity")["Account"])


class _RoleProvider:
    """The one provider of credentials in the session of a role."""

    METHOD = "assume-role"
    CANONICAL_NAME = None

    def __init__(self, fetch: t.Callable[[], t.Any]) -> None:
        self._fetch = fetch

    def load(self) -> t.Any:
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method=self.METHOD)


def _core_session(profile: str | None) -> t.Any:
    """A session that asks STS in the region itself: tokens of its global endpoint are refused in regions that were opted into."""
    session = botocore.session.Session(profile=profile)
    session.set_config_variable("sts_regional_endpoints", "regional")
    session.register_component("data_loader", _shared_loader(session.get_config_variable("data_path")))
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_time)
    return session


def _time(value: t.Any) -> datetime:
    """Read a time in an answer. botocore's own way takes most of the time that it spends on a description of instances."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return botocore.utils.parse_timestamp(value)


@functools.cache
def _shared_loader(data_path: str | None) -> t.Any:
    """What reads the descriptions of AWS's services. Each would be read and kept once for every account otherwise.

    :param data_path: where the user has descriptions of their own.
    """
    return botocore.loaders.create_loader(data_path)


def call(client: Client, method: str, **arguments: t.Any) -> Response:
    """Call ``client.method(**arguments)``.

    :raises AwsCredentialsError: if AWS does not accept the credentials.
    :returns: the answer; to ask it for what it lacks raises AwsError, too.
    :raises AwsError: if AWS refuses the operation or does not answer.
    """
    try:
        return Response(_operation(client, method), getattr(client, method)(**arguments))
    except ClientError as error:
        # Before the first call, and in long runs in between, the role is assumed, which may be what was refused.
        operation = ASSUME_ROLE if error.operation_name == "AssumeRole" else _operation(client, method)
        raise _refused(operation, client.meta.region_name, error) from error
    except BotoCoreError as error:
        raise _unanswered(_operation(client, method), error) from error
    except ResponseParserError as error:
        # It quotes the whole answer, which may hold the credentials of a role. So no traceback may show it.
        raise _unanswered(_operation(client, method), error) from None
    except _MALFORMED as error:
        raise _unreadable(_operation(client, method), error) from error


def pages(client: Client, method: str, key: str, **arguments: t.Any) -> list[t.Any]:
    """Everything under ``key`` in all pages of ``client.method(**arguments)``.

    :raises AwsError: as :func:`each`.
    """
    return list(each(client, method, key, **arguments))


def each(client: Client, method: str, key: str, **arguments: t.Any) -> t.Iterator[t.Any]:
    """The same as :func:`pages`, one after the other, with no more than one page in memory.

    :raises AwsError: as :func:`call`, and if the pages do not end.
    """
    for _page in range(MOST_PAGES):
        response = call(client, method, **arguments)
        # An empty list is in every answer of XML; in JSON it may be left out.
        yield from response[key] if client.meta.service_model.protocol in _XML else response.get(key, [])
        marker = {argument: response[name] for name, argument in _PAGE_MARKERS if response.get(name)}
        if not marker:
            return
        if marker.items() <= arguments.items():
            break
        arguments.update(marker)
    operation = _operation(client, method)
    raise AwsError(f"The pages of {operation} in {client.meta.region_name} do not end. Run again; if it stays so, ask the support of AWS.", operation=operation)


def refuse_bad_credentials(outcomes: t.Sequence[Outcome[t.Any, t.Any]]) -> None:
    """Check that something could be asked. (What a single region does not accept may be because it is not enabled.)

    :raises AwsCredentialsError: if that is what became of every item.
    """
    refusals = [outcome.error for outcome in outcomes if isinstance(outcome.error, AwsCredentialsError)]
    if refusals and len(refusals) == len(outcomes):
        raise refusals[0]


def prove_permission(client: Client, method: str, **arguments: t.Any) -> None:
    """Ask EC2 whether it would carry out a call, without carrying it out.

    :raises AwsError: if it would not, with the reason.
    """
    try:
        call(client, method, **arguments, DryRun=True)
    except AwsError as error:
        if error.code != "DryRunOperation":
            raise


def chunks(values: t.Iterable[str]) -> list[list[str]]:
    """Values without repetition, in portions that fit into one EC2 filter."""
    unique = list(dict.fromkeys(values))
    return [unique[start : start + FILTER_VALUES] for start in range(0, len(unique), FILTER_VALUES)]


def _operation(client: Client, method: str) -> str:
    """The operation in IAM's notation."""
    return f"{client.meta.service_model.signing_name}:{client.meta.method_to_api_mapping[method]}"


def _refused(operation: str, region: str, error: ClientError) -> AwsError:
    code = str(error.response.get("Error", {}).get("Code", "unknown"))
    reason = str(error.response.get("Error", {}).get("Message") or "")
    message = sentence(f"AWS refused {operation} in {region} ({code}): {_excerpt(reason)}".rstrip(": "))
    if code in _BAD_CREDENTIALS:
        hint = "Check the AWS credentials (access key, session token, clock), and that the region is enabled for the account."
        return AwsCredentialsError(f"{message} {hint}", operation=operation, code=code)
    if code in DENIED:
        lacking = _LACKING_ACTION.search(reason)
        message = f"{message} Allow the IAM action {lacking[1] if lacking else operation} to the AWS credentials that are used."
    elif code in THROTTLED:
        message = f"{message} AWS is throttling: lower concurrency, or try again later."
    return AwsError(message, operation=operation, code=code)


def _unreadable(operation: str, reason: object) -> AwsError:
    return AwsError(f"The answer to {operation} cannot be read: {sentence(_excerpt(reason))} {_CHECK_THE_WAY}", operation=operation)


def _unanswered(operation: str, error: Exception) -> AwsError:
    message = f"{operation} could not be asked of AWS: {sentence(_excerpt(error))}"
    if isinstance(error, NoCredentialsError | PartialCredentialsError | ProfileNotFound):
        hint = "Set profile, or access_key and secret_key, or the environment variables or role that boto3 looks for."
        return AwsCredentialsError(f"{message} {hint}", operation=operation)
    if isinstance(error, SSLError):
        authority = "If the certificate is issued by an authority of your own, name its file in the environment variable AWS_CA_BUNDLE."
        message = f"{message} Check that endpoint_url, if one is set, names the right host. {authority}"
    elif isinstance(error, ConnectionError | HTTPClientError | ResponseParserError):
        message = f"{message} {_CHECK_THE_WAY}"
    return AwsError(message, operation=operation)


def _excerpt(reason: object) -> str:
    """The part of AWS's reason that a person can read, and that holds no signed header."""
    text = str(reason).partition("Encoded authorization failure message:")[0].strip()
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."
