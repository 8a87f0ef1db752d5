"""The public API as generated code: messages, stubs and servicers. Made by proto/generate.py."""
