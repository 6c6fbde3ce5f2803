"""What is known to differ from AWS and has no fact of its own: what cannot be asserted, or is not there at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Deviation:
    """What differs, and why. `area` is a letter of `facts.AREAS`."""

    area: str
    what: str
    why: str


KNOWN: Final[tuple[Deviation, ...]] = (
    Deviation(
        "W",
        "`requestContext.domainName` is an address and a port, such as `127.0.0.1:40123`, where TLS is spoken.",
        "There is no name to resolve and no privilege to listen on port 443.",
    ),
    Deviation(
        "W",
        "Functions have the variables `AWS_CA_BUNDLE`, `REQUESTS_CA_BUNDLE` and `SSL_CERT_FILE`.",
        "The certificate of `https://{domainName}` is made at the start, and nothing else trusts it.",
    ),
    Deviation(
        "W",
        "Code that itself joins an API's id and region to `….execute-api.….amazonaws.com` asks AWS.",
        "Only the variables of a template that hold such an address are led to the emulator.",
    ),
    Deviation(
        "W",
        "Of one connection, at most 16 messages are in work for less than a second; further ones wait, in order.",
        "One machine has few environments: a burst of one client would keep all others waiting. AWS has no such bound. "
        "`--limit socket_calls=…` sets another.",
    ),
    Deviation(
        "W",
        "The account's quotas are not kept: 500 new connections and 10,000 requests a second.",
        "They are an account's and not a template's. What a template limits is kept.",
    ),
    Deviation(
        "W",
        "Throttling is exact, and a stage's default figures hold for each route by itself.",
        "AWS calls its own best effort, and does not say which routes share a bucket.",
    ),
    Deviation(
        "W",
        "`Condition`, `NotAction` and `NotResource` in the policy of an authorizer have no effect.",
        "Authorizers of WebSocket APIs hardly use them: there is one route to allow.",
    ),
    Deviation(
        "W",
        "A request whose header values have more than 10,240 bytes together, or whose head is over 64 KB, gets 431.",
        "That is the figure for HTTP APIs; the quotas of WebSocket APIs name none, and no page the answer.",
    ),
    Deviation(
        "W",
        "A client that has begun an HTTP request gets 408 after 30 s of silence.",
        "AWS names no figure for its own patience.",
    ),
    Deviation(
        "W",
        "A frame whose length is written with more bytes than it needs is accepted (RFC 6455 section 5.2 forbids it).",
        "The library that reads frames does not look; no client writes such frames.",
    ),
    Deviation(
        "W",
        "A plain GET on the address of a stage gets 426.",
        "AWS does not document what it gets there.",
    ),
    Deviation(
        "W",
        "A route's `OperationName` is not in its events, and `isBase64Encoded` in a function's answer has no effect.",
        "Clients get text frames only, and hardly any template names an operation.",
    ),
    Deviation(
        "W",
        "API keys, usage plans and models of requests are not checked, so there is no `Bad request body`.",
        "They belong to non-proxy integrations and to billing, which are not played here.",
    ),
    Deviation(
        "W",
        "The texts of error frames, of refused handshakes and of `disconnectReason` are those that users report.",
        "No page of AWS gives them word by word.",
    ),
    Deviation(
        "M",
        "A request must carry a signature of version 4; whose it is, and whether it is right, is not looked at.",
        "There are no accounts here.",
    ),
    Deviation(
        "M",
        "Posts and invocations are refused with 403 if `Host` is neither an IP address, `localhost` nor the `--host` "
        "of the emulator, or if there is an `Origin` other than its own.",
        "No page of the web shall reach a developer's machine under a name of its own. Programs send no `Origin`.",
    ),
    Deviation(
        "M",
        "Posted bytes that are not UTF-8 arrive as U+FFFD.",
        "Clients get text frames only, and AWS does not say what it makes of such bytes.",
    ),
    Deviation(
        "M",
        "An id of another form than API Gateway's gets 400 `BadRequestException`, not 410.",
        "So users report; AWS's page on 410 names ids that are not valid among its causes.",
    ),
    Deviation(
        "T",
        "Topics are delivered to queues alone; buckets notify nobody; tags, encryption, capacity and policies of "
        "resources have no effect.",
        "Each subscription and each property that is missed is named at the start.",
    ),
    Deviation(
        "L",
        "A first init phase may take 60 s; AWS allows 10.",
        "A laptop that starts many environments at once is slower; `--limit init_time=10` is AWS's figure.",
    ),
    Deviation(
        "L",
        "While several environments start, a call may wait for one that becomes free rather than start another.",
        "A laptop has few cores: of twenty that start at once all are late.",
    ),
    Deviation(
        "L",
        "`/tmp` is the machine's own: environments, and so tenants, share it, and it has no limit of 512 MB. The other "
        "folders are the machine's too, and can be written.",
        "An environment is a process, not a virtual machine.",
    ),
    Deviation(
        "L",
        "Memory is that of the runtime's process at its peak, without its children; on macOS it is neither limited nor "
        "reported. The processor's share does not follow MemorySize.",
        "Linux tells the peak of a process for the price of reading a file; control groups need privileges.",
    ),
    Deviation(
        "L",
        "An environment lives for 5 minutes unused, and at most 64 are kept; AWS names no figure, and keeps more.",
        "Each is a Python process of some 40 to 200 MB.",
    ),
    Deviation(
        "L",
        "After a crash or a time-out the next invocation gets a new environment; AWS resets the old one, with its "
        "`/tmp` and log stream.",
        "Seen from the code they are the same: a new runtime without the module's state.",
    ),
    Deviation(
        "L",
        "A process that a handler starts in a session of its own (`start_new_session=True`) outlives its environment "
        "and the emulator; on Lambda it goes with the sandbox.",
        "An environment ends as a group of processes, and such a process has left it.",
    ),
    Deviation(
        "L",
        "No log group is written: the log goes to the emulator's output and, if asked for, to LogResult.",
        "Nothing stands in for CloudWatch Logs.",
    ),
    Deviation(
        "L",
        "Of the Lambda API there is Invoke alone; versions and aliases other than `$LATEST` do not exist.",
        "The template is the only way to define functions.",
    ),
    Deviation(
        "L",
        "Signatures and permissions are not checked; a signature must be there.",
        "All keys are made up.",
    ),
    Deviation(
        "L",
        "There are no rates: neither 10 requests a second for a unit of concurrency nor 1,000 new environments in 10 "
        "seconds. Recursive loops are not detected.",
        "A laptop is slower than either.",
    ),
    Deviation(
        "A",
        "Queued events are in memory: they are gone when the emulator ends.",
        "The queue is the emulator's own.",
    ),
    Deviation(
        "A",
        "A record may go to a function, a queue or a topic; not to an event bus or a bucket.",
        "Nobody could see what an event bus got.",
    ),
    Deviation(
        "D",
        "Over moto requests are answered one at a time.",
        "Its transactions are not safe under concurrency; DynamoDB Local (`--dynamodb-jar`) gets all at once.",
    ),
    Deviation(
        "D",
        "DynamoDB Local listens on every interface.",
        "It has no option for one. The data is found only under an access key id that is drawn at random.",
    ),
    Deviation(
        "T",
        "Every function runs on the Python of the emulator, whatever its `Runtime`.",
        "Other versions need not be on the machine. Each is told at the start.",
    ),
    Deviation(
        "T",
        "A layer's files are not under `/opt`, and its `bin` and `lib` are on no path.",
        "That folder is the machine's. Python modules of layers are found.",
    ),
    Deviation(
        "T",
        "Nothing is refused for lack of a permission: roles, policies and `AWS::Lambda::Permission` have no effect.",
        "There is no IAM here. A function that API Gateway may not invoke is told at the start.",
    ),
    Deviation(
        "T",
        "`Fn::ImportValue`, an attribute of a resource that does not run, and parameters of Parameter Store are texts.",
        "There is no other stack and no account. Each is told at the start.",
    ),
)
