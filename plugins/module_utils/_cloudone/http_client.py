# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON over HTTP for Trend Cloud One's APIs: keep-alive, retries where they do no harm, errors a person can act on."""

from __future__ import annotations

import random
import re
import typing as t
from urllib.parse import urlencode

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.answer import Allowance, UnusableAnswer, read_body
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._json import UnfitJson, read_json
from ansible_collections.trendmicro.cloudone.plugins.module_utils._printable import sentence
from ansible_collections.trendmicro.cloudone.plugins.module_utils._surroundings import check_authorities, check_proxy

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, InvalidHeader
    from urllib3.util.retry import Retry
except ImportError:
    pass  # require_libraries() reports it to the user

RETRIES = 4
BACKOFF = 0.5  # seconds before the first retry; doubles each time
LONGEST_RETRY_AFTER = 60  # seconds; a server that asks for more is not waited for longer
LONGEST_ANSWER = 10  # times the time limit: so long may an answer take in all that never pauses for longer than the limit
EXCERPT = 300  # characters of an answer that an error message quotes

TOO_MANY_REQUESTS = 429
BUSY = frozenset({TOO_MANY_REQUESTS, 502, 503, 504})

HINTS = {
    400: "The API refused the content of the request: correct what it names.",
    401: "Check that the API key is valid, not expired, and of this account, region and kind of account (see legacy_account).",
    403: "The role of the API key lacks the right for this: give it the right, or use another key.",
    404: "There is no such object, or no longer: check its ID, and the region and URL of the API.",
    409: "The object is in use or was changed meanwhile: run again.",
    TOO_MANY_REQUESTS: "Too many requests: run again later, or with a lower concurrency.",
}
OUTAGE_HINT = "The service is down, planned or not: run again later."
# What OpenSSL, or an older urllib3, says of a certificate for another host name or IP address.
_OTHER_HOST = re.compile("mismatch, certificate is not valid for|hostname .* doesn't match")
REDIRECT_HINT = "The API redirects elsewhere, which is not followed: check its URL."


class HttpClient:
    """One API: its base URL, its headers, and a pool of connections that threads may share.

    :param base_url: ``https://host/path`` without a trailing slash.
    :param headers: sent with every request, among them the one that authenticates; they win over all others, so a ``Content-Type``
        here is the one that is sent. Their values never appear in an exception.
    :param timeout: seconds to wait for a connection, and then for an answer, in each attempt.
    :param verify: whether to verify TLS certificates, or the path of the authorities to verify them by.
    :param concurrency: connections kept alive, at least the number of threads that use the client.
    :param hints: what to do about an HTTP status, where this API means something else by it than ``HINTS`` says.
    :raises InputError: a base URL, a header, a proxy or a file of authorities that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        headers: t.Mapping[str, str],
        *,
        timeout: float,
        verify: bool | str,
        concurrency: int,
        hints: t.Mapping[int, str] | None = None,
    ) -> None:
        if not base_url.startswith(("https://", "http://")) or "@" in base_url:
            raise InputError(f"The URL of the API must look like https://host/path, without user name and password. It is {base_url.rpartition('@')[2]!r}.")
        for name, value in headers.items():
            if not (value.isascii() and value.isprintable()):
                raise InputError(f"The value for the header {name} has a line break or another character that no header may have.")
        self._timeout = timeout
        self._hints = {**HINTS, **(hints or {})}
        self._repeating = HTTPAdapter(pool_connections=1, pool_maxsize=concurrency, max_retries=_retries(BUSY, repeat=True))
        # 429 says that the request was not carried out, so even what must not happen twice may be sent again.
        self._cautious = HTTPAdapter(pool_connections=1, pool_maxsize=concurrency, max_retries=_retries({TOO_MANY_REQUESTS}, repeat=False))
        # What a session works out anew for each request is worked out once here: for thousands of requests it is a third of their CPU time.
        # A session would also replace the Authorization header by an entry of ~/.netrc, and follow redirects.
        try:
            self._common = requests.Request("GET", base_url, headers=requests.utils.default_headers()).prepare()
        except requests.RequestException as error:
            raise InputError(f"The URL of the API cannot be used: {sentence(str(error))}") from error
        # Whatever is asked for has to be decompressed with a bound, see read_body().
        self._common.headers.update({"Accept-Encoding": "gzip", **headers})
        self._base_url = str(self._common.url).rstrip("/")
        # Proxies, and the authorities to trust where the caller names none.
        self._environment: dict[str, t.Any] = dict(requests.Session().merge_environment_settings(self._base_url, {}, None, verify, None))
        check_authorities(self._environment["verify"], "ca_path, or the environment variable REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE")
        check_proxy(requests.utils.select_proxy(self._base_url, self._environment["proxies"]))

    def request_json(
        self,
        method: str,
        path: str,
        *,
        params: t.Mapping[str, str | int] | None = None,
        json: t.Any = None,
        expect: t.Container[int] = (200,),
        repeatable: bool | None = None,
        allowance: Allowance | None = None,
    ) -> t.Any:
        """Send one request.

        :param path: what follows the base URL, with a leading slash, quoted where needed; no secret.
        :param params: the query.
        :param json: the body, if any.
        :param expect: the statuses that mean success.
        :param repeatable: whether the request may be sent again when its fate is unknown; by default only a GET is.
        :param allowance: what the answer may bring in, shared by the pages of one question; by default what a single answer may.
        :returns: the parsed answer, or ``None`` if the answer has no body.
        :raises ApiError: no answer, another status, or a body that is no JSON or too large.
        """
        if repeatable is None:
            repeatable = method == "GET"
        adapter = self._repeating if repeatable else self._cautious
        request = self._common.copy()
        request.method = method
        request.url = self._base_url + path + (f"?{urlencode(params)}" if params else "")
        request.prepare_body(None, None, json)
        try:
            response = adapter.send(request, timeout=self._timeout, **self._environment)
        except requests.RequestException as error:
            raise self._error(method, path, _no_answer(error, repeatable)) from error
        try:
            seconds = LONGEST_ANSWER * self._timeout
            content = read_body(response.raw, response.headers.get("Content-Encoding", ""), allowance or Allowance(), seconds)
        except HTTPError as error:
            raise self._error(method, path, _no_answer(requests.ConnectionError(error), repeatable)) from error
        except UnusableAnswer as error:
            raise self._unusable(method, path, error, response.status_code) from error
        finally:
            # It goes back to the pool if all of it was read.
            response.close()
        if response.status_code not in expect:
            details = _details(content)
            said = f"HTTP {response.status_code}" + (f": {details}" if details else "")
            raise self._error(method, path, f"{sentence(said)} {self._hint(response.status_code)}", status=response.status_code, details=details)
        if not content:
            return None
        try:
            return _parse(content)
        except UnfitJson as error:
            raise self._unusable(method, path, error, response.status_code) from error
        except ValueError as error:
            # Not quoted: what was asked for may be a secret.
            kind = response.headers.get("Content-Type", "of no stated type")
            problem = f"HTTP {response.status_code}, but the answer is no JSON but {_excerpt(kind)}. Is a proxy or a login page in between? Check the URL."
            raise self._error(method, path, problem, status=response.status_code) from error

    def _error(self, method: str, path: str, problem: str, *, status: int | None = None, details: str | None = None) -> ApiError:
        return ApiError(f"{method} {self._base_url}{path}: {problem}", method=method, path=path, status=status, details=details)

    def _unusable(self, method: str, path: str, error: Exception, status: int) -> ApiError:
        return self._error(method, path, f"HTTP {status}, but the answer {error}. Is a proxy in between? Check the URL of the API.", status=status)

    def _hint(self, status: int) -> str:
        if status in self._hints:
            return self._hints[status]
        if 300 <= status < 400:
            return REDIRECT_HINT
        return OUTAGE_HINT if status >= 500 else "This status is not documented: check the URL of the API."


def _retries(statuses: t.Collection[int], *, repeat: bool) -> Retry:
    """The policy of one adapter.

    :param statuses: HTTP statuses after which a request is sent again.
    :param repeat: whether it is sent again also when the connection broke after it had been sent. Before that, it always is.
    """

    class Patience(Retry):
        """urllib3's own, but with jitter from the first retry on, a bounded ``Retry-After``, and no status retried that is not listed."""

        def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
            return status_code in statuses

        def get_backoff_time(self) -> float:
            return random.uniform(0.5, 1) * BACKOFF * 2.0 ** max(len(self.history) - 1, 0)

        def get_retry_after(self, response: t.Any) -> float | None:
            try:
                seconds = super().get_retry_after(response)
            except (InvalidHeader, ValueError, OverflowError):
                return None
            return None if seconds is None else min(seconds, LONGEST_RETRY_AFTER)

    # other=0: a certificate that is not trusted now will not be in a second either.
    return Patience(total=RETRIES, read=None if repeat else False, other=0, allowed_methods=None, raise_on_status=False)


def _no_answer(error: requests.RequestException, repeatable: bool) -> str:
    """Say why there was no answer, and what to do."""
    cause = error.args[0] if error.args else error
    reason = getattr(cause, "reason", cause)  # urllib3 wraps the last failure when it gives up
    if isinstance(error, requests.exceptions.SSLError) and _OTHER_HOST.search(str(reason)):
        hint = "Check the host name in the URL of the API: its certificate is for another one."
    elif isinstance(error, requests.exceptions.SSLError):
        hint = "If the certificate is issued by an authority of your own, name its file in ca_path."
    elif isinstance(error, requests.exceptions.ProxyError):
        hint = "Check the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY)."
    elif isinstance(reason, ConnectTimeoutError):
        hint = "Check the region and URL of the API, the network and the proxy."
    elif repeatable:
        hint = "Check the network and the proxy, or raise api_timeout."
    else:
        hint = "It is not known whether the request was carried out: look before repeating it."
    return f"no answer: {sentence(_excerpt(str(reason)))} {hint}"


def _parse(content: bytes) -> t.Any:
    """
    :raises ValueError: it is no JSON, or none that can be used (UnfitJson).
    """
    return read_json(content.decode("utf-8-sig", errors="replace"))


def _details(content: bytes) -> str | None:
    """The reason that an answer gives, wherever it stands; never more than an excerpt."""
    try:
        body = _parse(content)
    except ValueError:
        return _excerpt(content[: 64 * EXCERPT].decode("utf-8", errors="replace")) or None
    if isinstance(body, dict):
        # "Message" is what a gateway in front of an API writes.
        body = _json_api_errors(body.get("errors")) or body.get("details") or body.get("message") or body.get("Message") or body
    return _excerpt(str(body)) or None


def _json_api_errors(errors: t.Any) -> str | None:
    """The reasons in a list of errors as JSON:API has it, each with what it points to; ``None`` if it is no such list."""
    if not isinstance(errors, list):
        return None
    return "; ".join(_json_api_error(error) for error in errors if isinstance(error, dict)) or None


def _json_api_error(error: t.Mapping[str, t.Any]) -> str:
    reason = str(error.get("details") or error.get("detail") or error.get("title") or dict(error))
    source = error.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    return f"{pointer}: {reason}" if pointer else reason


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT else line[:EXCERPT] + "…"
