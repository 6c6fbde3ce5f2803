import functools
import os


@functools.lru_cache(maxsize=None)
def setting(name, kind=str):
    value = os.environ.get(name)
    if value is None:
        raise RuntimeError(f"missing environment variable {name}")
    return kind(value)
