"""Verbs of `tsq-gateway` that print: `arguments(parser, language)` and `main(args, settings, language)` each."""
