"""Files of claims: formulas as they are, or Markdown with formulas in blocks fenced as ``gradus``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradus.check.claims.judging import judge
from gradus.core.errors import InputError
from gradus.derive.blocks import fenced
from gradus.derive.document import read_document
from gradus.derive.lowering import lower_document

if TYPE_CHECKING:
    from pathlib import Path

    from gradus.check.claims.verdict import ClaimVerdict

MARKDOWN = (".md", ".markdown")


def read_notes(path: Path) -> list[str]:
    """Return the formulas of a file, each as long as the file with all else blank, so that lines keep their numbers.

    Every block of a Markdown document stands for itself.

    Raises
    ------
    InputError : if there is no such file, it is no text, or it has no formulas
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}: check the path") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is no text in UTF-8: give a Markdown file or a file of formulas") from None
    if path.suffix.lower() not in MARKDOWN:
        return [text]
    blocks = fenced(text)
    if not blocks:
        raise InputError(f"{path}: there is no block that begins with ```gradus: put formulas and claims into one")
    return blocks


def check_claims(path: Path, seed: int = 0) -> list[ClaimVerdict]:
    """Judge every claim of a file, in order.

    Raises
    ------
    InputError : if the file cannot be read, or holds no claim
    FormulaError : if a formula is wrong, with a caret under the place
    """
    verdicts: list[ClaimVerdict] = []
    for text in read_notes(path):
        document = read_document(text)
        if document.claims:
            program = lower_document(document)
            verdicts += [judge(document, program, claim, seed) for claim in document.claims]
    if not verdicts:
        raise InputError(f"{path}: there is no claim in it: write one as claim dL/dW = ...")
    return verdicts
