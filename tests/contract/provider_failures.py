"""How the servers of models fail: bodies and codes that the providers document, or that their users report."""

from typing import Final

from pydantic import JsonValue

from tests.contract import bedrock_wire, openai_wire
from tests.contract.event_stream import exception
from tests.contract.model_server import Answer
from tests.contract.scripted_model import Ends, Whole


def refusal(status: int, body: JsonValue | bytes, **headers: str) -> Whole:
    return Whole(status, body, headers)


def openai_error(status: int, message: str, code: str | None = None, kind: str | None = None, **headers: str) -> Whole:
    return Whole(status, {"error": {"message": message, "code": code, "type": kind, "param": None}}, headers)


def converse_error(status: int, kind: str, message: str) -> Whole:
    return Whole(status, {"message": message}, {"x_amzn_ErrorType": kind, "x_amzn_RequestId": "aws-1"})


HALF = openai_wire.chunk({"content": "The answer is "})
HALF_SAID = (bedrock_wire.START, bedrock_wire.delta({"text": "The answer is "}))

OPENAI_PASSES: Final[dict[str, tuple[Answer, str]]] = {
    "429": (openai_error(429, "Rate limit reached for gpt-4o", "rate_limit_exceeded", "requests"), "throttled"),
    "429 without a body": (refusal(429, b""), "throttled"),
    "429 of a web page": (Whole(429, b"<html>Too many requests</html>", {}, "text/html"), "throttled"),
    "408": (openai_error(408, "Request timeout"), "timed_out"),
    "409": (openai_error(409, "The resource is being updated"), "unavailable"),
    "424": (openai_error(424, "The upstream model failed"), "unavailable"),
    "425": (openai_error(425, "Too early"), "unavailable"),
    "500": (openai_error(500, "The server had an error while processing your request"), "unavailable"),
    "502 of a proxy": (Whole(502, b"<html><h1>502 Bad Gateway</h1></html>", {}, "text/html"), "unavailable"),
    "503": (openai_error(503, "The engine is currently overloaded", None, "service_unavailable"), "unavailable"),
    "503 of Ollama": (refusal(503, {"error": "server busy, please try again."}), "unavailable"),
    "504 of a proxy": (Whole(504, b"upstream request timeout", {}, "text/plain"), "timed_out"),
    "520 of a CDN": (Whole(520, b"", {}, "text/html"), "unavailable"),
    "524 of a CDN": (Whole(524, b"", {}, "text/html"), "timed_out"),
    "529": (openai_error(529, "Overloaded", None, "overloaded_error"), "unavailable"),
    "throttled in the stream": (
        openai_wire.stream(HALF, openai_wire.data({"error": {"message": "slow down", "code": "rate_limit_exceeded"}})),
        "throttled",
    ),
    "an error in the stream": (
        openai_wire.stream(HALF, openai_wire.data({"error": {"message": "internal error", "type": "server_error"}})),
        "unavailable",
    ),
    "an error without a code in the stream": (
        openai_wire.stream(HALF, openai_wire.data({"error": {"message": "EngineDeadError"}})),
        "unavailable",
    ),
    "a status as code in the stream": (
        openai_wire.stream(HALF, openai_wire.data({"error": {"message": "Provider returned error", "code": 502}})),
        "unavailable",
    ),
    "dropped in mid-sentence": (openai_wire.stream(HALF, Ends.DROPPED), "connection_lost"),
    "dropped within a frame": (openai_wire.stream(HALF, HALF[:20], Ends.DROPPED), "connection_lost"),
    "no JSON in the stream": (openai_wire.stream(HALF, b"data: {\"choices\": [{\n\n"), "unavailable"),
    "more tokens than a minute has": (
        openai_error(
            429, "Request too large for gpt-4o on tokens per min (TPM): Limit 30000.", "rate_limit_exceeded"
        ),
        "too_long",
    ),
    "413": (openai_error(413, "Request Entity Too Large"), "too_long"),
}  # fmt: skip


QUOTA, CREDENTIALS, REFUSED = "quota is used up", "credentials", "refused the request"
OPENAI_STAYS: Final[dict[str, tuple[Answer, str]]] = {
    "400": (openai_error(400, "Invalid value for 'temperature'", "invalid_value"), REFUSED),
    "401": (openai_error(401, "Incorrect API key provided", "invalid_api_key"), CREDENTIALS),
    "402": (openai_error(402, "Insufficient Balance", None, "unknown_error"), QUOTA),
    "403": (openai_error(403, "Country, region, or territory not supported"), CREDENTIALS),
    "404": (openai_error(404, "The model `gpt-9` does not exist", "model_not_found"), "does not exist"),
    "422": (openai_error(422, "Input validation error"), REFUSED),
    "501": (openai_error(501, "streaming is not implemented"), REFUSED),
    "429 of a used up quota": (
        openai_error(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota"), QUOTA,
    ),
    "a gateway that passes on a used up quota": (
        openai_error(429, "litellm.RateLimitError: Error code: 429 - {'type': 'insufficient_quota'}", "429"), QUOTA,
    ),
    "free requests of a day": (openai_error(429, "Rate limit exceeded: free-models-per-day"), QUOTA),
    "a budget of a gateway": (openai_error(400, "Budget has been exceeded! Current cost: 1.2", "400"), QUOTA),
    "a quota of the day": (
        refusal(429, [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota", "details": [{
            "@type": "type.googleapis.com/google.rpc.QuotaFailure",
            "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
        }]}}]), QUOTA,
    ),
    "content that Azure rejects": (
        openai_error(400, "The response was filtered due to Azure's content management policy", "content_filter"),
        "does not allow this conversation",
    ),
    "a 503 that is not to be tried again": (
        openai_error(503, "closed for good", None, None, x_should_retry="false"), REFUSED,
    ),
    "invalid in the stream": (
        openai_wire.stream(openai_wire.data({"error": {"message": "bad", "type": "invalid_request_error"}})), REFUSED,
    ),
}  # fmt: skip


BEDROCK_PASSES: Final[dict[str, tuple[Answer, str]]] = {
    "ThrottlingException": (
        converse_error(429, "ThrottlingException", "Too many tokens, please wait before trying again."), "throttled",
    ),
    "ModelNotReadyException": (converse_error(429, "ModelNotReadyException", "The model is not ready"), "unavailable"),
    "ModelTimeoutException": (converse_error(408, "ModelTimeoutException", "The model took too long"), "timed_out"),
    "ModelErrorException": (converse_error(424, "ModelErrorException", "The model has failed"), "unavailable"),
    "ServiceUnavailableException": (
        converse_error(503, "ServiceUnavailableException", "Bedrock is unable to process your request."), "unavailable",
    ),
    "InternalServerException": (converse_error(500, "InternalServerException", "Try again"), "unavailable"),
    "modelStreamErrorException": (
        bedrock_wire.stream(*HALF_SAID, exception("modelStreamErrorException", "The system failed")), "unavailable",
    ),
    "throttlingException in the stream": (
        bedrock_wire.stream(*HALF_SAID, exception("throttlingException", "Too many tokens")), "throttled",
    ),
    "internalServerException in the stream": (
        bedrock_wire.stream(*HALF_SAID, exception("internalServerException", "Failed")), "unavailable",
    ),
    "serviceUnavailableException in the stream": (
        bedrock_wire.stream(*HALF_SAID, exception("serviceUnavailableException", "Down")), "unavailable",
    ),
    "dropped in mid-sentence": (bedrock_wire.stream(*HALF_SAID, Ends.DROPPED), "connection_lost"),
    "dropped within a frame": (bedrock_wire.stream(*HALF_SAID, HALF_SAID[1][:30], Ends.DROPPED), "connection_lost"),
    "a frame of other bytes": (bedrock_wire.stream(*HALF_SAID, b"\0" * 64), "cut_off"),
}  # fmt: skip


BEDROCK_STAYS: Final = {
    "tokens of a day": (
        converse_error(429, "ThrottlingException", "Too many tokens per day, please wait before trying again."), QUOTA,
    ),
    "AccessDeniedException": (converse_error(403, "AccessDeniedException", "no access to the model"), CREDENTIALS),
    "ExpiredTokenException": (converse_error(403, "ExpiredTokenException", "expired"), CREDENTIALS),
    "ResourceNotFoundException": (converse_error(404, "ResourceNotFoundException", "gone"), "does not exist"),
    "ServiceQuotaExceededException": (converse_error(400, "ServiceQuotaExceededException", "no more"), QUOTA),
    "ValidationException": (converse_error(400, "ValidationException", "The text field is blank"), REFUSED),
}  # fmt: skip


BEDROCK_TOO_LONG: Final = (
    "Input is too long for requested model.",
    "The model returned the following errors: prompt is too long: 212313 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length",
    "This model's maximum context length is 8192 tokens. Please reduce the length of the prompt",
    "Input Tokens Exceeded: Number of input tokens exceeds maximum length.",
)
OPENAI_TOO_LONG: Final[dict[str, Answer]] = {
    "OpenAI": openai_error(400, "Your messages resulted in 130000 tokens.", "context_length_exceeded"),
    "DeepSeek": openai_error(400, "This model's maximum context length is 65536 tokens. However, you requested 70000."),
    "vLLM": refusal(
        400,
        {"message": "The decoder prompt (length 5000) is longer than the maximum model length of 4096.", "code": 400},
    ),
    "llama.cpp": openai_error(400, "the request exceeds the available context size, try increasing it"),
    "SGLang": refusal(
        400, {"message": "The input (9000 tokens) is longer than the model's context length (8192 tokens)."}
    ),
    "LM Studio": refusal(
        400, {"error": "The number of tokens to keep from the initial prompt is greater than the context length."}
    ),
    "Ollama": refusal(400, {"error": "the input length exceeds the context length"}),
    "Mistral": refusal(
        400, {"message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context length"}
    ),
    "xAI": refusal(
        400, {"code": "bad", "error": "This model's maximum prompt length is 131072 but the request contains 537812."}
    ),
    "Gemini behind LiteLLM": openai_error(
        400, "litellm.BadRequestError: The input token count (1200000) exceeds the maximum number of tokens allowed."
    ),
    "Text Generation Inference": refusal(
        422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.", "code": 422}
    ),
    "Moonshot": openai_error(400, "Invalid request: Your request exceeded model token limit: 8192"),
    "Z.ai": openai_error(400, "Prompt exceeds max length", "1261"),
    "MiniMax": openai_error(400, "invalid params, context window exceeds limit (2013)"),
    "DashScope": openai_error(400, "Range of input length should be [1, 30720]", "invalid_parameter_error"),
    "Anthropic behind a gateway": openai_error(400, "prompt is too long: 212313 tokens > 200000 maximum"),
    "Groq": openai_error(413, "Request too large for model `llama` on tokens per minute (TPM)", "rate_limit_exceeded"),
}
