"""Load a translation model with the dictionaries and BPE codes that its checkpoint names."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from ..engine.build_errors import plain_build_errors
from ..engine.checks.checkpoint import check_checkpoint_file, load_checkpoint
from ..errors import UserError
from ..models.checkpoints import compare_state, weights_of
from .dictionary import Dictionary
from .dictionary_hook import SIDES, check_digests
from .saved_config import saved_setting
from .text import BytePairCodes, Detokenizer, Tokenizer
from .translator import Translator

__all__ = ["load_translator"]


def load_translator(
    checkpoint: str, device: str = "cpu", data_root: str | None = None, beam: Mapping[str, Any] | None = None
) -> Translator:
    """Build the model of a checkpoint, with the dictionaries and BPE codes that it names.

    Args:
        checkpoint: A ``.pth`` file that ``tools/train.py`` wrote.
        data_root: Folder to find dictionaries and codes in, in the place of the one that they were in at training.
        beam: Arguments of ``BeamSearch`` in the place of the config's.
    Raises:
        UserError: If a file is missing, is no translation model's, or is not the one of the training.
    """
    check_checkpoint_file(checkpoint)
    content = load_checkpoint(checkpoint)
    weights, meta = weights_of(content, checkpoint), content.get("meta") or {}
    trained = meta.get("dataset_meta") or {}
    if not {f"{side}_dictionary" for side in SIDES} <= set(trained):
        raise UserError(
            f"checkpoint ({checkpoint}) names no dictionaries; give one of a translation model, as tools/train.py "
            "writes it."
        )
    dictionaries = {side: _find(trained[f"{side}_dictionary"], data_root) for side in SIDES}
    source, target = (Dictionary.of(dictionaries[side]) for side in SIDES)
    given = {"source_dictionary": dictionaries["source"], "source_digest": source.digest}
    given |= {"target_dictionary": dictionaries["target"], "target_digest": target.digest}
    check_digests(trained, given, f"checkpoint ({checkpoint})")

    cfg = Config({"model": saved_setting(meta.get("cfg") or "", "model")})
    cfg.model.beam = {**(cfg.model.get("beam") or {}), **(beam or {})}
    with DefaultScope.overwrite_default_scope("mmaction"), plain_build_errors(cfg):
        model = MODELS.build(cfg.model)
    if not (match := compare_state(model.state_dict(), weights)).complete:
        raise UserError(
            f"checkpoint ({checkpoint}) does not fit the model that its config builds here: {match}; train it again."
        )
    model.load_state_dict(weights)
    return Translator(model.to(device).eval(), source, target, *_text_steps(trained, data_root))


def _find(entry: str | Sequence[str], data_root: str | None) -> str | Sequence[str]:
    """A file that a checkpoint names, looked for in ``data_root`` if that is given; tokens as they are."""
    return str(Path(data_root) / Path(entry).name) if isinstance(entry, str) and data_root else entry


def _text_steps(trained: Mapping[str, Any], data_root: str | None) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """From a line of text to tokens, and back, as training data is made; data without languages is tokens already."""
    if not trained.get("languages"):
        return str, str
    tokenizer, detokenizer = Tokenizer(trained["languages"][0]), Detokenizer(trained["languages"][1])
    codes = trained.get("bpe_codes")
    split = BytePairCodes.load(_find(codes, data_root)) if codes else str
    return lambda line: split(tokenizer(line).lower()), detokenizer
