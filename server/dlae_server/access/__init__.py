"""Who may do what: credentials of callers, scopes, certificates."""
