# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the collection trusts, and by which way it goes: certificates, authorities, proxies. The same for the vendor's APIs and for AWS."""

from __future__ import annotations

import ssl
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import proxy
import pytest
import trustme

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, call
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.http_client import HttpClient
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.tls_servers import TlsServer, tls_server

KEY = "the-api-key-of-this-test"
PASSWORD = "the-password-of-the-proxy"


def ask_api(url: str, verify: bool | str = True) -> t.Any:
    return HttpClient(url, {"api-secret-key": KEY}, timeout=5, verify=verify, concurrency=1).request_json("POST", "/x", json={})


def ask_aws(url: str) -> t.Any:
    clients = AwsClients({"access_key": "AKIA", "secret_key": "secret", "endpoint_url": url}, concurrency=1)
    return call(clients.client("sts", "us-east-1"), "get_caller_identity")


@dataclass(frozen=True)
class Client:
    """One of the two ways out.

    :ivar answer: what a server has to answer.
    :ivar bundle: the environment variable that names the authorities to trust.
    :ivar hint: what an error tells the user to do about a certificate.
    """

    ask: Callable[[str], t.Any]
    answer: str
    bundle: str
    hint: str


CLIENTS = {
    "api": Client(ask_api, "json", "REQUESTS_CA_BUNDLE", "name its file in ca_path"),
    "aws": Client(ask_aws, "sts", "AWS_CA_BUNDLE", "name its file in the environment variable AWS_CA_BUNDLE"),
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    # One attempt is enough to see what comes of it.
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    return CLIENTS[request.param]


@pytest.fixture
def server(client: Client, authority: trustme.CA) -> Iterator[TlsServer]:
    with tls_server(authority, answer=client.answer) as started:
        yield started


@pytest.fixture(scope="module")
def proxy_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A proxy that wants user name and password."""
    folder = str(tmp_path_factory.mktemp("proxy"))
    arguments = ["--hostname", "127.0.0.1", "--port", "0", "--basic-auth", f"user:{PASSWORD}", "--num-workers", "1", "--num-acceptors", "1"]
    with proxy.Proxy([*arguments, "--log-level", "CRITICAL", "--data-dir", folder]) as started:
        yield started.flags.port


def refusal(client: Client, url: str) -> str:
    with pytest.raises(CloudOneError) as caught:
        client.ask(url)
    assert KEY not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_a_certificate_that_is_not_trusted_is_refused(client: Client, server: TlsServer) -> None:
    said = refusal(client, server.url)
    assert "certificate verify failed" in said.lower()
    assert client.hint in said
    assert server.seen == []


def test_one_of_an_authority_of_the_users_own_is_trusted(client: Client, server: TlsServer, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(client.bundle, bundle)
    client.ask(server.url)
    assert len(server.seen) == 1


def test_ca_path_and_validate_certs(authority: trustme.CA, bundle: str) -> None:
    with tls_server(authority) as server:
        ask_api(server.url, verify=bundle)
        ask_api(server.url, verify=False)
        assert server.seen == ["POST /x"] * 2


def test_a_certificate_for_another_host_is_refused(client: Client, authority: trustme.CA, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(client.bundle, bundle)
    with tls_server(authority, names="elsewhere.example", answer=client.answer) as server:
        said = refusal(client, server.url)
        assert "mismatch" in said or "doesn't match" in said
        assert "Check the host name in the URL" in said or "names the right host" in said
        assert server.seen == []


def test_no_older_tls_than_1_2(client: Client, authority: trustme.CA, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(client.bundle, bundle)
    with tls_server(authority, newest=ssl.TLSVersion.TLSv1_1, answer=client.answer) as server:
        assert "SSL" in refusal(client, server.url)
        assert server.seen == []
    with tls_server(authority, newest=ssl.TLSVersion.TLSv1_2, answer=client.answer) as server:
        client.ask(server.url)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_are_not_there(client: Client, server: TlsServer, content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(client.bundle, str(file))
    said = refusal(client, server.url)
    if content is None:
        assert f"There is no file or folder {file}" in said
        assert client.bundle in said
    else:
        assert client.hint in said
    assert server.seen == []


def test_the_proxy_is_used_with_its_password(client: Client, server: TlsServer, bundle: str, proxy_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(client.bundle, bundle)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:{proxy_port}")
    client.ask(server.url)
    assert len(server.seen) == 1
    # That it was the way is shown by what happens without the right password, and where the proxy finds nobody.
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD[1:]}@127.0.0.1:{proxy_port}")
    said = refusal(client, server.url)
    assert "407" in said or "Failed to connect to proxy" in said
    assert PASSWORD[1:] not in said
    assert len(server.seen) == 1


def test_no_proxy(client: Client, server: TlsServer, bundle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(client.bundle, bundle)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{PASSWORD}@127.0.0.1:1")
    said = refusal(client, server.url)
    assert "proxy" in said
    assert server.seen == []
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client.ask(server.url)
    assert len(server.seen) == 1


@pytest.mark.parametrize("url", [f"http://user:{PASSWORD}#@127.0.0.1:1", f"socks5://user:{PASSWORD}@127.0.0.1:1", f"http://user:{PASSWORD}@"])
def test_a_proxy_that_cannot_be_used(client: Client, server: TlsServer, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    assert "The proxy that the environment names" in refusal(client, server.url)


@pytest.mark.parametrize("port", ["port", "99999", "0"])
def test_a_url_with_a_bad_port(client: Client, port: str) -> None:
    said = refusal(client, f"https://127.0.0.1:{port}")
    assert "endpoint_url" in said or "URL of the API" in said or "network" in said


def test_a_redirect_does_not_take_the_key_along(authority: trustme.CA, bundle: str) -> None:
    with tls_server(authority) as elsewhere, tls_server(authority, location=f"{elsewhere.url}/x") as server:
        with pytest.raises(CloudOneError, match="redirects elsewhere, which is not followed"):
            ask_api(server.url, verify=bundle)
        assert (server.seen, elsewhere.seen) == (["POST /x"], [])


def test_a_role_of_aws_is_assumed_by_the_same_ways(server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    params = {"access_key": "AKIA", "secret_key": "secret", "endpoint_url": server.url, "assume_role_arn": "arn:aws:iam::123456789012:role/x"}
    with pytest.raises(InputError, match="The proxy that the environment names"):
        call(AwsClients(params, concurrency=1).client("sts", "us-east-1"), "get_caller_identity")
