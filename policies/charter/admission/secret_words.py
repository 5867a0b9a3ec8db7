"""What looks like a secret, in CEL: the words of a name, the forms of keys, and how random a text is."""

from __future__ import annotations

import math
import string
from typing import Final

from charter.admission.wanted import cel
from charter.hiding import ASSIGNMENT
from charter.secrets import BITS, ENDINGS, FORMS, HARMLESS, LONG, SECRET_WORDS, WORD

PARTS: Final = cel("[A-Z]+[a-z]*|[a-z]+|[0-9]+")
"""Runs of letters; one that begins with several capitals holds two words: `DBPassword`."""
LAST: Final = cel("[A-Z][a-z]+$|^[A-Z]+$|^[a-z]+$|^[0-9]+$")
WEIGHED: Final = 1024
"""Characters of a text by which its randomness is told; CEL has no logarithm, so these stand in a table."""
ALPHABET: Final = string.ascii_letters + string.digits + "+/_=-"
VARIABLES: Final = {
    "alphabet": "[" + ", ".join(map(cel, ALPHABET)) + "]",
    "bits": "[" + ", ".join(f"{n * math.log2(n) if n else 0:.6f}" for n in range(WEIGHED + 1)) + "]",
    "words": cel(SECRET_WORDS),
    "forms": cel("|".join(form.pattern for form in FORMS)),
}


def secret_name(name: str) -> str:
    """Say that a name announces a secret: its last word, or its last two written together."""
    before = f"(t.size() > 1 ? t[t.size() - 2].find({LAST}) : '') + w"
    joined = f"(w.size() < t[t.size() - 1].size() ? t[t.size() - 1] : {before})"
    return (
        f"[{name}.findAll({PARTS})].exists(t, t.size() > 0 && [t[t.size() - 1].find({LAST})].exists(w, "
        f"w.lowerAscii() in variables.words || {joined}.lowerAscii() in variables.words || "
        f"{cel(ENDINGS)}.exists(n, w.lowerAscii().endsWith(n))))"
    )


def secret_value(value: str) -> str:
    """Say that a text has the form of a key or is too random for a word."""
    random = (
        f"[x.size() > {WEIGHED} ? x.substring(0, {WEIGHED}) : x].exists(s, variables.bits[s.size()] - "
        f"variables.alphabet.map(k, variables.bits[s.split(k).size() - 1]).sum() >= {float(BITS)} * double(s.size()))"
    )
    return (
        f"[{value}].exists(x, x.matches(variables.forms) || (x.size() >= {LONG} && x.matches({cel(WORD.pattern)}) && "
        f"!x.startsWith('sha256') && !x.matches('^[0-9a-fA-F-]*$') && x.matches('[0-9]') && x.matches('[a-z]') && "
        f"x.matches('[A-Z]') && {random}))"
    )


def harmless(value: str) -> str:
    """Say that a value can be no secret, whatever its name announces."""
    return f"{value}.matches({cel('(?i)' + HARMLESS.pattern)})"


def secret_argument(arguments: str) -> str:
    """Say that no argument is a secret, is given to a flag of a secret's name, or assigns to one."""
    after_flag = (
        f"[{arguments}[i - 1]].exists(b, b.startsWith('-') && !b.contains('=') && !a.startsWith('-') && "
        f"{secret_name('b')} && !{harmless('a')})"
    )
    assigned = (
        f"a.findAll({cel(ASSIGNMENT.pattern)}).exists(m, [m.split('=', 2)].exists(p, !p[1].startsWith('$') && "
        f"!{harmless('p[1]')} && {secret_name('p[0]')}))"
    )
    return f"{arguments}.all(i, a, !({secret_value('a')}) && !(i > 0 && {after_flag}) && !({assigned}))"
