"""Who a run belongs to: ids, identities, and the context that carries them into an engine."""
