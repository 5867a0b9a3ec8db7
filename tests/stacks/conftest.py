"""Property tests of this room: no deadline, because the machine is shared."""

from hypothesis import settings

settings.register_profile("stacks", deadline=None, print_blob=True)
settings.load_profile("stacks")
