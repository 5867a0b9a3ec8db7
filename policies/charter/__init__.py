"""The integrity charter: its rules, how they read a resource, and how they are judged."""
