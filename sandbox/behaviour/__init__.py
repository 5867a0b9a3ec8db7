"""What the SDKs do not know: replacement, ranges, references, ids; one sourced row per type.

How to add a type: put a row under its token into the table of its cloud (`aws-*.yaml`, `gcp*.yaml`,
`azure-native-*.yaml`, `cloudflare.yaml`). The columns are the fields of `rows.Row`; values are templates
(`templates.Seed.fill`). Only `source` is required; without a row a type has its schema, outputs invented from it, and
an id of the cloud's usual form.

- `id`, `name`, `handles`: what it is called, and the values by which others refer to it (id, ARN, self link and
  physical name are handles of themselves).
- `replaces`, `volatile`, `immutable`: what a change of a property does.
- `references`: what must exist for a property to name it; `blocks: false` when that may be deleted first.
- `enums`, `ranges`, `patterns`, `lengths`, `required`, `exclusive`, `one_of`, `ordered`: judged
  before anything is made.
- `outputs`: what the cloud computes, laid under what the program sets.
- `rules`: functions of `rules_*.py`, for what a table cannot say: `@check` (inputs alone), `@create` (inputs and what
  exists; raises Refused), `@outputs`.
- `drift`: properties that people change by hand.

`tests/sandbox/test_schema.py` holds every path of every row against the SDK's schema.
"""
