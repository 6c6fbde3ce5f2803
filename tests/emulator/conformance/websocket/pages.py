"""The pages that the facts come from."""

from __future__ import annotations

from typing import Final

_GUIDE: Final = "https://docs.aws.amazon.com/apigateway/latest/developerguide/"
_BOTOCORE: Final = "https://docs.aws.amazon.com/botocore/latest/reference/services/apigatewaymanagementapi/client/"

CONNECT: Final = _GUIDE + "apigateway-websocket-api-route-keys-connect-disconnect.html"
SUBPROTOCOL: Final = _GUIDE + "websocket-connect-route-subprotocol.html"
AUTHORIZER: Final = _GUIDE + "apigateway-websocket-api-lambda-auth.html"
AUTHORIZER_ANSWER: Final = _GUIDE + "api-gateway-lambda-authorizer-output.html"
IDENTITY: Final = (
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-apigatewayv2-authorizer.html"
)
IAM: Final = _GUIDE + "apigateway-websocket-control-access-iam.html"
WILDCARDS: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"
EVALUATION: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html"
CONTEXT: Final = _GUIDE + "apigateway-websocket-api-mapping-template-reference.html"
ROUTES: Final = _GUIDE + "websocket-api-develop-routes.html"
EXPRESSIONS: Final = _GUIDE + "apigateway-websocket-api-selection-expressions.html"
MESSAGES: Final = _GUIDE + "apigateway-websocket-api-routes-integrations.html"
RESPONSES: Final = _GUIDE + "apigateway-websocket-api-route-response.html"
ANSWERS: Final = _GUIDE + "apigateway-websocket-api-integration-responses.html"
INTEGRATIONS: Final = _GUIDE + "apigateway-websocket-api-integration-requests.html"
QUOTAS: Final = _GUIDE + "apigateway-execution-service-websocket-limits-table.html"
BINARY: Final = _GUIDE + "websocket-api-develop-binary-media-types.html"
THROTTLING: Final = _GUIDE + "websocket-api-protect.html"
CONNECTIONS: Final = _GUIDE + "apigateway-how-to-call-websocket-api-connections.html"
REFUSALS: Final = _GUIDE + "supported-gateway-responses-types.html"
FAILURES: Final = "https://repost.aws/knowledge-center/api-gateway-internal-server-error"
LATE: Final = "https://repost.aws/knowledge-center/api-gateway-504-errors"
EARLY: Final = "https://repost.aws/knowledge-center/410-gone-api-gateway"
RFC: Final = "https://www.rfc-editor.org/rfc/rfc6455"
GET: Final = _BOTOCORE + "get_connection.html"
GONE: Final = _BOTOCORE + "exceptions/GoneException.html"
FORBIDDEN: Final = _BOTOCORE + "exceptions/ForbiddenException.html"
TOO_LARGE: Final = _BOTOCORE + "exceptions/PayloadTooLargeException.html"
LIMITED: Final = _BOTOCORE + "exceptions/LimitExceededException.html"
