"""`pulumi-language-python`: runs Pulumi programs, policy packs and plug-ins written in Python for the engine.

A gRPC service (`LanguageRuntime` of the SDK's protocol). It lives in a virtual environment of its own and starts the
project's interpreter for everything that concerns the project.
"""

VERSION = "3.259.0"
