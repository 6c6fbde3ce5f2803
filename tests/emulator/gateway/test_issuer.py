"""The development issuer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp
import jwt
import pytest

from tests.emulator.gateway.harness import Gateway, running


async def fetch(gateway: Gateway, path: str, method: str = "GET") -> tuple[int, Any]:
    """Status and JSON of a request."""
    async with aiohttp.ClientSession() as http, http.request(method, gateway.url + path) as answer:
        return answer.status, await answer.json(content_type=None)


def verify(token: str, keys: dict[str, Any]) -> dict[str, Any]:
    """Check a token as a resource server does."""
    by_id = {key.key_id: key for key in jwt.PyJWKSet.from_dict(keys).keys}
    key = by_id[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience="tests")
    return claims


async def test_a_minted_token_verifies_against_the_published_keys() -> None:
    """RS256 with iss, aud, sub, exp and the tenant; the discovery document names issuer and keys."""
    async with running() as gateway:
        _, minted = await fetch(gateway, "/token?user=auth0|ali%20ce%23ß&tenant=acme&ttl=60")
        _, discovery = await fetch(gateway, "/.well-known/openid-configuration")
        _, keys = await fetch(gateway, "/.well-known/jwks.json")
        claims = verify(minted["token"], keys)
    assert (claims["sub"], claims["tenant"], claims["iss"]) == ("auth0|ali ce#ß", "acme", gateway.url)
    assert discovery["issuer"] == gateway.url
    assert discovery["jwks_uri"] == f"{gateway.url}/.well-known/jwks.json"
    assert datetime.fromisoformat(minted["expires_at"]) == datetime.fromtimestamp(claims["exp"], UTC)


async def test_a_token_may_have_more_claims() -> None:
    """Claims of a JSON object are in the token, and change none that it has anyway; anything else is refused."""
    async with running() as gateway:
        more = quote('{"email": "a@b.example", "groups": ["x"], "sub": "eve", "iss": "https://other.example"}')
        _, minted = await fetch(gateway, f"/token?user=a&claims={more}")
        _, keys = await fetch(gateway, "/.well-known/jwks.json")
        claims = verify(minted["token"], keys)
        assert (claims["sub"], claims["iss"]) == ("a", gateway.url)
        assert (claims["email"], claims["groups"]) == ("a@b.example", ["x"])
        for wrong in ("x", "[]", "7"):
            assert (await fetch(gateway, f"/token?user=a&claims={wrong}"))[0] == 400


async def test_keys_rotate() -> None:
    """A token of the old key stays good until the old key is retired."""
    async with running() as gateway:
        _, old = await fetch(gateway, "/token?user=a")
        _, keys = await fetch(gateway, "/_emulator/issuer/rotate", "POST")
        _, new = await fetch(gateway, "/token?user=a")
        assert jwt.get_unverified_header(old["token"])["kid"] != jwt.get_unverified_header(new["token"])["kid"]
        assert verify(old["token"], keys)["sub"] == verify(new["token"], keys)["sub"] == "a"
        _, keys = await fetch(gateway, "/_emulator/issuer/rotate?retire=true", "POST")
        with pytest.raises(KeyError):
            verify(old["token"], keys)


async def test_a_token_may_be_expired_on_purpose() -> None:
    """A negative ttl gives a token that is no longer valid."""
    async with running() as gateway:
        _, minted = await fetch(gateway, "/token?user=a&ttl=-5")
        _, keys = await fetch(gateway, "/.well-known/jwks.json")
        with pytest.raises(jwt.ExpiredSignatureError):
            verify(minted["token"], keys)


async def test_a_token_request_without_user_is_refused() -> None:
    """400 and a sentence, also for a ttl that is no number."""
    async with running() as gateway:
        assert (await fetch(gateway, "/token"))[0] == 400
        assert (await fetch(gateway, "/token?user=a&ttl=soon"))[0] == 400


async def test_another_sites_script_cannot_read_a_token() -> None:
    """No CORS header lets a page of another origin in."""
    async with (
        running() as gateway,
        aiohttp.ClientSession(headers={"Origin": "https://example.com"}) as http,
        http.get(gateway.url + "/token?user=a") as answer,
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
