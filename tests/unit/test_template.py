"""What the template promises, read from its source."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from dayfly.protocol.frames import FRAMES
from emulator.template.names import Place
from emulator.template.resolver import Resolver
from scripts.template_file import load

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("Authorizer", "Connection", "Router", "Engine", "Recovery")
OWN_READS = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"]
OWN_WRITES = ["dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"]
COMMON_VARIABLES = {
    "TABLE_NAME",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
}
ENDPOINT = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    """The template, with long intrinsics."""
    return load(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    """Properties of each resource by its logical id."""
    return {name: resource["Properties"] for name, resource in template["Resources"].items()}


def statements(resources: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """The statements of a role's policies, of those in it and of those beside it, conditional ones included."""
    beside = [each for each in resources.values() if {"Ref": role} in each.get("Roles", ())]
    return [
        statement["Fn::If"][1] if "Fn::If" in statement else statement
        for policy in (*resources[role].get("Policies", ()), *beside)
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def actions(resources: dict[str, Any], role: str) -> set[str]:
    """Every action a role's policies allow."""
    listed = [statement["Action"] for statement in statements(resources, role)]
    return {action for each in listed for action in ([each] if isinstance(each, str) else each)}


def test_every_action_of_the_protocol_is_a_route(resources: dict[str, Any]) -> None:
    """The routes are the protocol's actions and API Gateway's own three."""
    assert set(resources["ChatApi"]["Routes"]) == set(FRAMES) | {"$connect", "$disconnect", "$default"}


def test_routes_lead_to_the_right_function(resources: dict[str, Any]) -> None:
    """Connecting and leaving go to the connection function, every frame to the router."""
    for route, target in resources["ChatApi"]["Routes"].items():
        function = "ConnectionFunction" if route in {"$connect", "$disconnect"} else "RouterFunction"
        assert target["FunctionArn"] == {"Fn::GetAtt": [function, "Arn"]}


def test_the_authorizer_is_always_asked(resources: dict[str, Any]) -> None:
    """No identity source is named, so no place of the token is required by the gateway."""
    auth = resources["ChatApi"]["Auth"]
    assert auth == {"AuthType": "CUSTOM", "AuthArn": {"Fn::GetAtt": ["AuthorizerFunction", "Arn"]}}


def test_the_gateway_records_no_message(resources: dict[str, Any]) -> None:
    """Execution logging and data trace are off, and the access log names neither header, query nor body."""
    settings = resources["ChatApi"]["DefaultRouteSettings"]
    assert (settings["LoggingLevel"], settings["DataTraceEnabled"]) == ("OFF", False)
    record = json.loads(resources["ChatApi"]["AccessLogSettings"]["Fn::If"][1]["Format"])
    assert not re.search(r"header|query|body|token|sourceIp", json.dumps(record))


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:3001", "http://issuer.example", "issuer.example", ""])
def test_an_issuer_without_tls_is_refused(template: dict[str, Any], issuer: str) -> None:
    """The development issuer, plain http on loopback, is no legal value of the issuer's parameter."""
    assert not re.search(template["Parameters"]["JwtIssuer"]["AllowedPattern"], issuer)


def test_every_parameter_has_a_default(template: dict[str, Any]) -> None:
    """The template loads as it is."""
    assert [name for name, parameter in template["Parameters"].items() if "Default" not in parameter] == []


@pytest.mark.parametrize(
    ("function", "own"),
    [
        ("Authorizer", {"JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_URL", "TENANT_CLAIM", "CONTEXT_CLAIMS"}),
        ("Connection", {"ENGINE_FUNCTION", "ISOLATION", "WARM_UP"}),
        ("Router", {"ENGINE_FUNCTION", "ISOLATION", ENDPOINT}),
        (
            "Engine",
            {
                "ISOLATION",
                "RUN_SECONDS",
                "APPROVAL_SECONDS",
                "MODEL",
                "MODEL_SETTINGS",
                "MODEL_BASE_URL",
                "MODEL_API_VERSION",
                "MODEL_KEY_SECRET",
                "MODEL_KEY_PARAMETER",
                "SHOW_REASONING",
                "AGENT_SECRETS",
                "AGENT_PARAMETERS",
                ENDPOINT,
            },
        ),
        ("Recovery", {"ENGINE_FUNCTION", "ISOLATION", ENDPOINT}),
    ],
)
def test_variables(template: dict[str, Any], resources: dict[str, Any], function: str, own: set[str]) -> None:
    """Each function gets the variables that its settings model reads, and no other."""
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    assert set(shared) == COMMON_VARIABLES
    assert set(resources[f"{function}Function"]["Environment"]["Variables"]) == own


def test_the_endpoint_names_the_stage(resources: dict[str, Any]) -> None:
    """The endpoint to post to ends with the stage's name as a literal."""
    for function in ("Router", "Engine", "Recovery"):
        endpoint = resources[f"{function}Function"]["Environment"]["Variables"][ENDPOINT]["Fn::Sub"]
        assert endpoint.endswith("/" + resources["ChatApi"]["StageName"])


def test_no_function_has_a_fixed_name(resources: dict[str, Any]) -> None:
    """CloudFormation can replace each function, as a change of the isolation demands."""
    assert [name for name in FUNCTIONS if "FunctionName" in resources[f"{name}Function"]] == []


def test_the_platform_of_the_functions(template: dict[str, Any]) -> None:
    """All functions run on Python 3.13 on Arm, traced, with JSON logs."""
    shared = template["Globals"]["Function"]
    assert (shared["Runtime"], shared["Architectures"], shared["Tracing"]) == ("python3.13", ["arm64"], "Active")
    assert shared["LoggingConfig"]["LogFormat"] == "JSON"


def test_the_engine_is_isolated_unless_told_otherwise(template: dict[str, Any], resources: dict[str, Any]) -> None:
    """One condition, false for `none` alone, gives the engine an environment per tenant id."""
    tenancy = resources["EngineFunction"]["TenancyConfig"]["Fn::If"]
    assert tenancy == ["Isolated", {"TenantIsolationMode": "PER_TENANT"}, {"Ref": "AWS::NoValue"}]
    assert template["Conditions"]["Isolated"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Isolation"}, "none"]}]}
    assert template["Parameters"]["Isolation"]["Default"] == "user"


def test_an_engine_is_never_retried_by_lambda(resources: dict[str, Any]) -> None:
    """An engine's event is tried once, for at most a minute, and then recovery is told."""
    config = resources["EngineInvokeConfig"]
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)
    destination = config["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == {"Fn::GetAtt": ["RecoveryFunction", "Arn"]}


def test_the_sweep_runs_every_minute(resources: dict[str, Any]) -> None:
    """Recovery is invoked each minute; a sweep that could not start within its minute is dropped for the next."""
    sweep = resources["RecoveryFunction"]["Events"]["Sweep"]["Properties"]
    assert sweep["Schedule"] == "rate(1 minute)"
    assert sweep["RetryPolicy"] == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    assert resources["RecoveryFunction"]["EventInvokeConfig"] == sweep["RetryPolicy"]


def test_loops_are_allowed_where_the_design_has_them(resources: dict[str, Any]) -> None:
    """Loop detection is off for engine and recovery, which invoke engines, and on for the others."""
    looping = {name for name in FUNCTIONS if resources[f"{name}Function"].get("RecursiveLoop") == "Allow"}
    assert looping == {"Engine", "Recovery"}


def test_only_the_engine_carries_the_agent_layer(template: dict[str, Any], resources: dict[str, Any]) -> None:
    """The library's layer is everywhere, the agents' only on the engine."""
    assert template["Globals"]["Function"]["Layers"] == [{"Ref": "DayflyLayer"}]
    with_more = {name: resources[f"{name}Function"].get("Layers") for name in FUNCTIONS}
    assert with_more.pop("Engine")[0] == {"Ref": "AgentLayer"}
    assert not any(with_more.values())


@pytest.mark.parametrize("layer", ["OpenAI", "Anthropic", "Google"])
def test_a_providers_layer_is_there_for_its_models(
    template: dict[str, Any], resources: dict[str, Any], layer: str
) -> None:
    """One condition makes the layer and attaches it to the engine."""
    attached = resources["EngineFunction"]["Layers"][1:]
    assert {"Fn::If": [f"Uses{layer}", {"Ref": f"{layer}Layer"}, {"Ref": "AWS::NoValue"}]} in attached
    assert template["Resources"][f"{layer}Layer"]["Condition"] == f"Uses{layer}"


@pytest.mark.parametrize(
    ("model", "agents", "used"),
    [
        ("demo", "", set()),
        ("bedrock:eu.amazon.nova-lite-v1:0", "", {"Bedrock"}),
        ("openai:gpt", "", {"OpenAI"}),
        ("azure:our-gpt", "", {"OpenAI"}),
        ("anthropic:openai-like", "", {"Anthropic"}),
        ("demo", "google", {"Google"}),
        ("openai:gpt", "anthropic:claude,bedrock:amazon.nova,demo", {"OpenAI", "Anthropic", "Bedrock"}),
        ("google:gemini", "openai,azure,anthropic,google,bedrock", {"OpenAI", "Anthropic", "Google", "Bedrock"}),
    ],
)
def test_what_models_bring(template: dict[str, Any], model: str, agents: str, used: set[str]) -> None:
    """The layers and the permission for the deployment's model, and for those that agents name themselves; both
    parameters take the values."""
    given = {"Model": model, "AgentModels": agents}
    for name, value in given.items():
        assert re.search(template["Parameters"][name]["AllowedPattern"], value)
    resolver = Resolver(template, parameters=given, place=Place(region="eu-central-1", stack="s"))
    providers = ("Bedrock", "OpenAI", "Anthropic", "Google")
    assert {each for each in providers if resolver.condition(f"Uses{each}")} == used


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Model", "cohere:x"),
        ("Model", "openai:"),
        ("Model", "openai"),
        ("Model", "openai:a,b"),
        ("AgentModels", "openaix"),
        ("AgentModels", "openai,"),
        ("AgentModels", "openai google"),
        ("ModelSettings", "max_tokens=1"),
        ("ModelBaseUrl", "name.openai.azure.com"),
    ],
)
def test_what_a_parameter_refuses(template: dict[str, Any], name: str, value: str) -> None:
    """CloudFormation refuses it before anything is changed."""
    assert not re.search(template["Parameters"][name]["AllowedPattern"], value)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("Authorizer", set()),
        (
            "Connection",
            {
                "dynamodb:GetItem",
                "dynamodb:Query",
                "dynamodb:PutItem",
                "dynamodb:DeleteItem",
                "lambda:InvokeFunction",
            },
        ),
        ("Router", {*OWN_READS, *OWN_WRITES, "lambda:InvokeFunction", "execute-api:ManageConnections"}),
        (
            "Engine",
            {
                *OWN_READS,
                *OWN_WRITES,
                "lambda:InvokeFunction",
                "execute-api:ManageConnections",
                "bedrock:InvokeModel",
                "bedrock:InvokeModelWithResponseStream",
                "secretsmanager:GetSecretValue",
                "ssm:GetParameter",
                "kms:Decrypt",
            },
        ),
        ("Recovery", {*OWN_READS, *OWN_WRITES, "lambda:InvokeFunction", "execute-api:ManageConnections"}),
    ],
)
def test_what_a_role_may_do(resources: dict[str, Any], role: str, allowed: set[str]) -> None:
    """Each role holds the listed actions and no other."""
    assert actions(resources, f"{role}Role") == allowed


@pytest.mark.parametrize(
    ("role", "functions"),
    [
        ("Connection", {"EngineFunction"}),
        ("Router", {"EngineFunction"}),
        # Itself, to hand a run over and to start a thread's next one; recovery, as its on-failure destination.
        ("Engine", {"EngineFunction", "RecoveryFunction"}),
        ("Recovery", {"EngineFunction"}),
    ],
)
def test_whom_a_role_may_invoke(resources: dict[str, Any], role: str, functions: set[str]) -> None:
    """Invoking is allowed for exactly these functions, each by its own name."""
    invoking = [each for each in statements(resources, f"{role}Role") if each["Action"] == "lambda:InvokeFunction"]
    targets: list[list[str]] = [each["Resource"]["Fn::GetAtt"] for each in invoking]
    assert sorted(targets) == sorted([name, "Arn"] for name in functions)


def test_an_engine_is_told_how_long_a_run_may_take_and_wait(resources: dict[str, Any]) -> None:
    """The two limits of runs are parameters that reach the engine."""
    variables = resources["EngineFunction"]["Environment"]["Variables"]
    assert variables["RUN_SECONDS"] == {"Ref": "RunTimeLimit"}
    assert variables["APPROVAL_SECONDS"] == {"Ref": "ApprovalTimeout"}


@pytest.mark.parametrize(
    ("sid", "action", "resource"),
    [
        ("AgentSecrets", "secretsmanager:GetSecretValue", {"Ref": "AgentSecrets"}),
        (
            "AgentParameters",
            "ssm:GetParameter",
            {
                "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${AgentParameters}*",
            },
        ),
        ("AgentSecretsKey", "kms:Decrypt", {"Ref": "AgentSecretsKey"}),
    ],
)
def test_who_may_read_the_agents_secrets(
    template: dict[str, Any], resources: dict[str, Any], sid: str, action: str, resource: object
) -> None:
    """The engine alone, exactly what its parameter names, and only where the parameter is set; a key decrypts only what
    Secrets Manager and Parameter Store have encrypted with it."""
    found = [
        (name, statement["Action"], statement["Resource"])
        for name in FUNCTIONS
        for statement in statements(resources, f"{name}Role")
        if statement.get("Sid") == sid
    ]
    assert found == [("Engine", action, resource)]
    (policy,) = resources["EngineRole"]["Policies"]
    (condition,) = [
        each["Fn::If"]
        for each in policy["PolicyDocument"]["Statement"]
        if "Fn::If" in each and each["Fn::If"][1].get("Sid") == sid
    ]
    assert condition[2] == {"Ref": "AWS::NoValue"}
    assert template["Conditions"][condition[0]] == {"Fn::Not": [{"Fn::Equals": [{"Ref": sid}, ""]}]}
    if sid == "AgentSecretsKey":
        (services,) = condition[1]["Condition"]["StringEquals"].values()
        assert [each["Fn::Sub"].partition(".")[0] for each in services] == ["secretsmanager", "ssm"]


@pytest.mark.parametrize(
    ("path", "legal"),
    [("", True), ("/dayfly/agents/", True), ("/a/", True), ("/dayfly/agents", False), ("dayfly/", False), ("/", False)],
)
def test_a_path_of_parameters_ends_with_a_slash(template: dict[str, Any], path: str, *, legal: bool) -> None:
    """So the permission for what lies below it reaches no path that only begins alike."""
    assert bool(re.search(template["Parameters"]["AgentParameters"]["AllowedPattern"], path)) == legal


def test_no_statement_is_open(resources: dict[str, Any]) -> None:
    """No action and no resource of a function's own policy is a bare wildcard."""
    for name in FUNCTIONS:
        for statement in statements(resources, f"{name}Role"):
            assert "*" not in str(statement["Action"])
            assert statement["Resource"] != "*"


def test_the_table_is_fenced_by_its_leading_keys(resources: dict[str, Any]) -> None:
    """Every statement on the table itself names the partitions it may touch; the engine never sees a CONN row."""
    for name in FUNCTIONS:
        for statement in statements(resources, f"{name}Role"):
            if statement["Resource"] == {"Fn::GetAtt": ["Table", "Arn"]}:
                keys = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
                sees_connections = name in {"Connection", "Router"}
                assert keys == (["CONN#*", "USER#*"] if sees_connections else ["USER#*"])


def test_posting_is_all_that_is_done_to_sockets(resources: dict[str, Any]) -> None:
    """Managing connections is allowed for POST on this one API and stage."""
    for name in FUNCTIONS:
        for statement in statements(resources, f"{name}Role"):
            if statement["Action"] == "execute-api:ManageConnections":
                assert statement["Resource"]["Fn::Sub"].endswith(":${ChatApi}/live/POST/@connections/*")


def test_the_table(template: dict[str, Any], resources: dict[str, Any]) -> None:
    """The table has the design's keys, the sparse lease index, TTL, backups, encryption, and outlives the stack."""
    table = resources["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk", "sk"]
    (index,) = table["GlobalSecondaryIndexes"]
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["lease_shard", "due"]
    assert (index["IndexName"], index["Projection"]) == ("leases", {"ProjectionType": "KEYS_ONLY"})
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert template["Resources"]["Table"]["UpdateReplacePolicy"] == "Retain"


def test_every_log_is_kept_for_a_limited_time(resources: dict[str, Any]) -> None:
    """Each function writes to a log group of the stack, and each group has the retention of the parameter."""
    for name in FUNCTIONS:
        assert resources[f"{name}Function"]["LoggingConfig"]["LogGroup"] == {"Ref": f"{name}LogGroup"}
    for name in (*FUNCTIONS, "Access"):
        group = resources["AccessLogGroup" if name == "Access" else f"{name}LogGroup"]
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize(("environment", "command"), [("default", "deploy"), ("production", "deploy")])
def test_sam_settings_are_legal_parameters(template: dict[str, Any], environment: str, command: str) -> None:
    """What samconfig.toml sets exists in the template and has a value that its parameter allows."""
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = settings[environment][command]["parameters"]["parameter_overrides"]
    for name, value in (override.split("=", 1) for override in overrides):
        parameter = template["Parameters"][name]
        assert re.search(parameter.get("AllowedPattern", ""), value)
        assert value in map(str, parameter.get("AllowedValues", [value]))
