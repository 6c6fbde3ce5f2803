"""Parts of names that the template's reader and the moto process, which share no memory, must make up alike."""

import hashlib
import string

_LETTERS = string.ascii_letters


def secret_suffix(name: str) -> str:
    """The six letters with which the ARN of a secret ends: drawn at random on AWS, always the same for a name here.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
    """
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in hashlib.sha256(name.encode()).digest()[:6])
