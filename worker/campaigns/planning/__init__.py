"""Planning: preflight, and the plan that a running campaign follows."""
