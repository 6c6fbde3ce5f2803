"""The authorizer function: what API Gateway is answered."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dayfly.aws.auth.json_fetch import KeysUnavailable
from dayfly.aws.functions.authorizer import AuthorizerFunction
from dayfly.context.identity import tenant_name, user_name
from dayfly.errors import ConfigurationError
from tests.unit.aws.issuer import AUDIENCE, Issuer
from tests.unit.aws.lambda_context import PlayedContext

SAMPLE = Path(__file__).parents[4] / "events" / "authorizer.json"
Event = dict[str, Any]


def event(protocols: str | None = None, *, query: dict[str, str] | None = None, header: str = "") -> Event:
    made: Event = json.loads(SAMPLE.read_text())
    for headers in (made["headers"], made["multiValueHeaders"]):
        del headers["Sec-WebSocket-Protocol"]
    if protocols is not None:
        name = header or "Sec-WebSocket-Protocol"
        made["headers"][name] = protocols
        made["multiValueHeaders"][name] = [protocols]
    if query is not None:
        made["queryStringParameters"] = query
    return made


@pytest.fixture
def authorizer(issuer: Issuer, capsys: pytest.CaptureFixture[str]) -> Iterator[AuthorizerFunction]:
    library = logging.getLogger("dayfly")
    before = (library.handlers, library.level, library.propagate)
    yield AuthorizerFunction({"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS_URL": issuer.jwks_url})
    library.handlers, library.level, library.propagate = before


def places() -> list[Callable[[str], Event]]:
    return [
        lambda token: event(f"dayfly.v1, bearer.{token}"),
        lambda token: event(f"dayfly.v1,bearer.{token}"),
        lambda token: event(f"bearer.{token}, dayfly.v1"),
        lambda token: event(f"dayfly.v1, bearer.{token}", header="sec-websocket-protocol"),
        lambda token: event(f"dayfly.v1, bearer.{token}", header="SEC-WEBSOCKET-PROTOCOL"),
        lambda token: {**event(f"dayfly.v1, bearer.{token}"), "multiValueHeaders": None},
        lambda token: {
            **event(),
            "multiValueHeaders": {"Sec-WebSocket-Protocol": ["dayfly.v1", f"bearer.{token}"]},
        },
        lambda token: event(query={"token": token}),
        lambda token: {**event(query={"token": token}), "headers": None, "multiValueHeaders": None},
        lambda token: event(f"dayfly.v1, bearer.{token}", query={"token": "other"}),
        lambda token: event("dayfly.v1, bearer.", query={"token": token}),
        lambda token: {**event(f"bearer.{token}"), "multiValueHeaders": {}},
        # Where there are headers of several values, those alone count: they hold all that the others do.
        lambda token: {**event(query={"token": token}), "headers": {"Sec-WebSocket-Protocol": "bearer.other"}},
    ]


@pytest.mark.parametrize("place", places(), ids=range(len(places())))
def test_a_good_token_is_allowed(authorizer: AuthorizerFunction, issuer: Issuer, place: Callable[[str], Event]) -> None:
    """The token is found wherever it may stand; the policy allows this `$connect`, and the context holds strings."""
    asked = place(issuer.token(exp=2_000_000_000))
    user = user_name(issuer.url, "auth0|alice")
    assert authorizer.handle(asked, PlayedContext()) == {
        "principalId": user,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": asked["methodArn"]}],
        },
        "context": {"user": user, "tenant": user, "expires_at": "2000000000"},
    }


@pytest.mark.parametrize(
    "asked",
    [
        event(),
        event("dayfly.v1"),
        event("dayfly.v1, bearer."),
        event("Bearer.x"),
        event(query={}),
        event(query={"token": ""}),
        event(query={"Token": "x"}),
        {**event(), "queryStringParameters": None},
    ],
    ids=range(8),
)
def test_no_token_is_unauthorized(authorizer: AuthorizerFunction, asked: Event) -> None:
    """Without a token the error's message is exactly `Unauthorized`, which API Gateway answers with 401."""
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorizer.handle(asked, PlayedContext())


def test_a_bad_token_is_denied(authorizer: AuthorizerFunction, issuer: Issuer) -> None:
    """A bad token gives a policy that denies, which API Gateway answers with 403, and no context; one like it that is
    good is allowed by the same authorizer."""
    bad = ("x", issuer.token(exp=1), issuer.token(kid="stranger"), issuer.token(iss="https://other.example"))
    for token, effect in (*((token, "Deny") for token in bad), (issuer.token(), "Allow")):
        asked = event(f"dayfly.v1, bearer.{token}")
        answer = authorizer.handle(asked, PlayedContext())
        (statement,) = answer["policyDocument"]["Statement"]
        assert (statement["Effect"], statement["Resource"]) == (effect, asked["methodArn"])
        assert ("context" in answer) == (effect == "Allow")
        assert (answer["principalId"] == "nobody") == (effect == "Deny")


def test_the_log_says_whose_connection_was_let_in(
    authorizer: AuthorizerFunction, issuer: Issuer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line names the connection, and who is accepted the user by name; a connection without an id is none."""
    asked = event(f"bearer.{issuer.token()}")
    authorizer.handle(asked, PlayedContext())
    authorizer.handle({**asked, "requestContext": {}}, PlayedContext())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "token accepted" in line]
    user = user_name(issuer.url, "auth0|alice")
    told = [(line.get("connection", ""), line["user"]) for line in lines]
    assert told == [(asked["requestContext"]["connectionId"], user), ("", user)]


def test_a_token_is_for_the_audience_of_the_deployment(authorizer: AuthorizerFunction, issuer: Issuer) -> None:
    """Issuer, audience and the claim of the tenant are those that the environment names."""
    told = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": "another", "JWT_JWKS_URL": issuer.jwks_url, "TENANT_CLAIM": "org"}
    other = AuthorizerFunction(told)
    for token, where in ((issuer.token(), authorizer), (issuer.token(aud="another", org="acme"), other)):
        effects = {
            each: each.handle(event(f"bearer.{token}"), PlayedContext())["policyDocument"]["Statement"][0]["Effect"]
            for each in (authorizer, other)
        }
        assert effects == {each: "Allow" if each is where else "Deny" for each in (authorizer, other)}
    of_acme = other.handle(event(f"bearer.{issuer.token(aud='another', org='acme')}"), PlayedContext())
    assert of_acme["context"]["tenant"] == tenant_name(issuer.url, "acme")


def test_chosen_claims_reach_the_context(issuer: Issuer, capsys: pytest.CaptureFixture[str]) -> None:
    """Those that the environment names and the token has, as JSON text in one value; nothing else of the token, and
    nothing where none is there. No value is logged; one that does not fit is left out, and its name is logged."""
    told = {"JWT_ISSUER": issuer.url, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS_URL": issuer.jwks_url}
    chosen = AuthorizerFunction({**told, "CONTEXT_CLAIMS": "email, groups ,name,groups"})

    def context(function: AuthorizerFunction, **claims: object) -> dict[str, str]:
        answer = function.handle(event(f"bearer.{issuer.signed(issuer.claims(**claims))}"), PlayedContext())
        assert len(json.dumps(answer)) < 8192
        found: dict[str, str] = answer["context"]
        return found

    alice = {"email": "alice@b.example", "groups": ["admin", "世界"], "phone": "555"}
    assert json.loads(context(chosen, **alice)["chosen_claims"]) == {
        "email": "alice@b.example",
        "groups": ["admin", "世界"],
    }
    for function in (chosen, AuthorizerFunction(told)):
        assert set(context(function, phone="555")) == {"user", "tenant", "expires_at"}
    assert set(context(AuthorizerFunction(told), **alice)) == {"user", "tenant", "expires_at"}
    assert "alice@b.example" not in capsys.readouterr().out
    long = context(chosen, **{**alice, "groups": ["x" * 2048], "name": "\u0431" * 300})
    assert json.loads(long["chosen_claims"]) == {"email": "alice@b.example", "name": "\u0431" * 300}
    line = next(json.loads(line) for line in capsys.readouterr().out.splitlines() if "claims left out" in line)
    assert (line["claims"], line["most_bytes"]) == (["groups"], 2048)


def test_unreachable_keys_are_an_error(authorizer: AuthorizerFunction, issuer: Issuer) -> None:
    """When the issuer is down nobody is called a stranger: API Gateway answers the error with 500."""
    issuer.up = False
    with pytest.raises(KeysUnavailable):
        authorizer.handle(event(f"bearer.{issuer.token()}"), PlayedContext())


def test_no_token_reaches_the_log(
    authorizer: AuthorizerFunction, issuer: Issuer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a good nor a bad token, nor its subject, is ever written out."""
    tokens = (issuer.token(), issuer.token(exp=1), "header.claims.signature")
    for token in tokens:
        authorizer.handle(event(f"dayfly.v1, bearer.{token}"), PlayedContext())
    written = "".join(capsys.readouterr())
    assert "token accepted" in written
    assert "token refused" in written
    for token in tokens:
        for part in token.split("."):
            assert part not in written
    assert "alice" not in written


@pytest.mark.usefixtures("authorizer")
def test_an_insecure_issuer_is_refused_at_start() -> None:
    """An http issuer off this machine is a wrong set-up, seen in the init phase; an https one is not."""
    told = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "a"}
    AuthorizerFunction(told)
    for insecure in ({"JWT_ISSUER": "http://issuer.example"}, {"JWT_JWKS_URL": "http://issuer.example/keys"}):
        with pytest.raises(ConfigurationError, match="over https"):
            AuthorizerFunction({**told, **insecure})
