"""The platform's side of an agent: signed days in a chain, the manifest, consent, and what is asked."""
