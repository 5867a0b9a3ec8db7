"""The program: load the wish, build the platform, export what it promises."""

from components import entry

with entry.imports():
    from stacks.load import from_config

    stack = from_config()
    from components.platform import Platform

entry.run(lambda: Platform("platform", stack).export())
