from .replies import Reply, reply_to
from .settings import setting

__all__ = ["Reply", "reply_to", "setting"]
