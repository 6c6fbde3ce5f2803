"""Secrets, settings and claims reach tools, and secrets reach nothing else: over the emulator, with secrets in moto and
in a `.env`, and an issuer of our own that signs with ES256."""

import json
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm
from moto.server import ThreadedMotoServer

from tests.live.kit.chat import Chat, NotOpened
from tests.live.kit.client import Frame
from tests.live.kit.emulator import SHARED, EmulatorProcess, running
from tests.unit.aws.loopback import Answer, serve

STRIPE, BILL, LOCAL = "sk_live_e2e/51+Habc", 'bill "key" 0815', "local_e2e_key_4711"
REGION = "us-east-1"
"""The emulator's."""
SIGNER = generate_private_key(SECP256R1())


@dataclass(frozen=True)
class Deployment:
    """A running application, the issuer that it trusts, and clients of where its secrets are kept."""

    emulator: EmulatorProcess
    issuer: str
    secret: str
    manager: Any
    parameters: Any

    def chat(self, **claims: object) -> Chat:
        """A socket opened with a token that has these claims too."""
        now = int(time.time())
        told = {"iss": self.issuer, "aud": "web", "sub": "ada", "exp": now + 600, **claims}
        token = jwt.encode({name: one for name, one in told.items() if one is not None}, SIGNER, algorithm="ES256")
        return Chat(self.emulator.url, "ada", token=token)


@pytest.fixture(scope="module")
def deployment(application: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Two accepted audiences, chosen claims, and each key in a place of its own."""
    public = {**ECAlgorithm.to_jwk(SIGNER.public_key(), as_dict=True), "use": "sig"}
    dotenv = tmp_path_factory.mktemp("laptop") / ".env"
    dotenv.write_text(f"# my own\nLOCAL_KEY={LOCAL}\n")
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    at = f"http://{host}:{port}"
    known = {"endpoint_url": at, "region_name": REGION, "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    manager, parameters = boto3.client("secretsmanager", **known), boto3.client("ssm", **known)  # type: ignore[call-overload]
    secret = manager.create_secret(Name="agents", SecretString=json.dumps({"STRIPE_KEY": STRIPE}))["ARN"]
    parameters.put_parameter(Name="/dayfly/agents/BILL_KEY", Value=BILL, Type="SecureString")
    parameters.put_parameter(Name="/dayfly/agents/SHOP_URL", Value="https://kiel.example", Type="String")
    with serve() as issuer:
        issuer.answer = lambda _: Answer(body=json.dumps({"keys": [public]}).encode())
        environment = (
            f"JWT_ISSUER={issuer.url}",
            "JWT_AUDIENCE=web, ios",
            f"JWT_JWKS_URL={issuer.url}/keys",
            f"DOTENV_FILE={dotenv}",
            f"AWS_ENDPOINT_URL_SECRETS_MANAGER={at}",
            f"AWS_ENDPOINT_URL_SSM={at}",
        )
        chosen = (f"AgentSecrets={secret}", "AgentParameters=/dayfly/agents/", "ContextClaims=email,groups")
        with running(application, "--env", *environment, *SHARED, *chosen) as emulator:
            yield Deployment(emulator, issuer.url, secret, manager, parameters)
    manager.close()
    parameters.close()
    aws.stop()


def digest(key: str) -> str:
    """By what the agent tells which key it has."""
    return sha256(key.encode()).hexdigest()[:12]


def result_of(client: Chat, run: str) -> Any:
    """What the run's one tool returned, as the client was shown it."""
    (completed,) = [event["payload"] for event in client.events(run) if event["type"] == "tool_completed"]
    assert completed["status"] == "ok", completed
    return json.loads(completed["result"])


async def told(client: Chat, text: str) -> tuple[str, Frame]:
    """A message to the agent: its run, and the end of it."""
    accepted = await client.ask("run", text=text, agent="secretive")
    return accepted["run_id"], await client.end_of(accepted["run_id"])


def forms(*keys: str) -> set[str]:
    """The keys as text and within JSON."""
    return {form for key in keys for form in (key, json.dumps(key)[1:-1])}


async def test_secrets_reach_tools_and_nothing_else(deployment: Deployment) -> None:
    """From Secrets Manager, Parameter Store and the file, an async and a plain tool have the true values; a rotated one
    is read when a fresh one is asked for; and no value is in a frame, in a row of the table, or in what functions log,
    not even where a tool logs it or raises an error that quotes it."""
    async with deployment.chat() as client:
        run, _ = await told(client, "charge")
        assert result_of(client, run) == {
            "plain": "I have [redacted]",
            "url": "https://shop.example/?k=[redacted]",
            "digest": digest(STRIPE),
            "shop": "https://kiel.example",
        }
        progress = [event["payload"]["message"] for event in client.events(run) if event["type"] == "tool_progress"]
        assert progress == ["With [redacted]"]
        run, _ = await told(client, "bill")
        shown = result_of(client, run)
        assert (shown["plain"], shown["digest"], shown["local"]) == ("I have [redacted]", digest(BILL), digest(LOCAL))

        run, _ = await told(client, "quarrel")
        (failed,) = [event["payload"] for event in client.events(run) if event["type"] == "tool_completed"]
        assert (failed["status"], failed["result"]) == ("error", "The tool quarrel failed unexpectedly.")

        rotated = "sk_live_rotated_2"
        deployment.manager.put_secret_value(
            SecretId=deployment.secret, SecretString=json.dumps({"STRIPE_KEY": rotated})
        )
        assert result_of(client, (await told(client, "charge"))[0])["digest"] == digest(STRIPE)
        assert result_of(client, (await told(client, 'charge {"fresh": true}'))[0])["digest"] == digest(rotated)
        assert result_of(client, (await told(client, "charge"))[0])["digest"] == digest(rotated)

        place = result_of(client, (await told(client, "locate"))[0])
        frames = json.dumps(client.frames, ensure_ascii=False)
    deployment.emulator.wait_until_idle("EngineFunction")
    logs = "".join(deployment.emulator.lines)
    rows = repr(rows_at(place["url"], place["name"]))
    assert "The shop does not like [redacted]." in logs
    assert "refused with [redacted]" in logs
    assert "I have [redacted]" in rows
    for key in forms(STRIPE, BILL, LOCAL, rotated):
        assert key not in frames
        assert key not in rows
        assert key not in logs


def rows_at(url: str, name: str) -> list[dict[str, Any]]:
    """Every item of the table, its packed bytes unpacked."""
    client = boto3.client(
        "dynamodb", endpoint_url=url, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
    )
    items = [item for page in client.get_paginator("scan").paginate(TableName=name) for item in page["Items"]]
    client.close()
    return [{key: unpacked(value) for key, value in item.items()} for item in items]


def unpacked(value: Any) -> object:
    packed = value.get("B")
    return zlib.decompress(packed).decode() if packed else value


async def test_claims_reach_a_tool_also_after_approval(deployment: Deployment) -> None:
    """The chosen claims of the token with which the message was sent, whoever approves, with whatever token; and none
    of them is logged."""
    ada = {"sub": "lovelace", "email": "ada@e2e.example", "groups": ["admin", "世界"], "phone": "555-e2e"}
    async with deployment.chat(**ada) as client:
        accepted = await client.ask("run", text="introduce", agent="secretive")
        run = accepted["run_id"]
        asked = await client.until(lambda frame: frame.get("type") == "approval_requested")
        async with deployment.chat(sub="lovelace", aud=["ios"], email="later@e2e.example") as other:
            answer = await other.ask(
                "approve", run_id=run, tool_call_id=asked["payload"]["tool_call_id"], approved=True
            )
            assert answer["type"] == "approved"
        await client.end_of(run)
        assert result_of(client, run) == {"email": "ada@e2e.example", "groups": ["admin", "世界"]}
    deployment.emulator.wait_until_idle("EngineFunction", "RouterFunction")
    functions = [
        json.dumps(line)
        for name in ("AuthorizerFunction", "RouterFunction", "EngineFunction")
        for line in deployment.emulator.json_lines(name)
    ]
    assert functions
    assert not [line for line in functions if "e2e.example" in line or "555-e2e" in line]


async def test_an_access_token_without_audience_is_known_by_its_client(deployment: Deployment) -> None:
    """One that Cognito issues for an accepted client opens a socket; for another client it does not."""
    without = {"aud": None, "token_use": "access"}
    async with deployment.chat(**without, client_id="ios") as client:
        assert (await client.ask("ping"))["type"] == "pong"
    with pytest.raises(NotOpened, match="403"):
        async with deployment.chat(**without, client_id="another"):
            pass
