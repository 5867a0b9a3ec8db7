"""The hands: drive the engine, judge what it would do, report it, stop it cleanly. Importing this loads no engine."""
