"""A campaign's definition: what is sent, to whom, when, under which rules."""
