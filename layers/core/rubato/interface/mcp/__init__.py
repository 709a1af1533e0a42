"""The door for agents: the Model Context Protocol over HTTP, stateless, one JSON answer to each request.

Own code instead of the official SDK, which takes more than a second to import; the tests use the SDK's client.
Source of every rule: https://modelcontextprotocol.io/specification/2026-07-28 and the four versions before it.
"""
