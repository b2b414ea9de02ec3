"""
What an error gives away to whoever logs it with everything it holds.
"""

from __future__ import annotations

from pathlib import Path

import lambda_kit

_KIT = str(Path(lambda_kit.__file__).parent)


def given_away_by(exc: BaseException) -> str:
    """
    Return the texts of *exc*, of all it was raised from or during, and of the variables in the kit's frames of each.
    """
    texts = []
    left: list[BaseException | None] = [exc]
    seen: set[int] = set()
    while left:
        found = left.pop()
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        left += [found.__cause__, found.__context__]
        texts += [repr(found), str(found), repr(vars(found))]
        traceback = found.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename.startswith(_KIT):
                texts += map(repr, traceback.tb_frame.f_locals.values())
            traceback = traceback.tb_next
    return "\n".join(texts)
