"""Find a layer of a model by its name."""

from torch import nn

from ..engine.names import nearest
from ..errors import UserError

__all__ = ["find_gated_layer", "find_layer", "gated_layer_names", "last_gated_layer"]


def gated_layer_names(model: nn.Module) -> list[str]:
    """Names of the layers that hold a gate, in the order in which they are built."""
    return [
        name
        for name, module in model.named_modules()
        if getattr(module, "gate", None) is not None and hasattr(module, "gates")
    ]


def last_gated_layer(model: nn.Module) -> str:
    """The name of the last layer that holds a gate.

    Raises:
        UserError: If the model is plain.
    """
    names = gated_layer_names(model)
    if not names:
        raise UserError(
            "the model has no gated layer; give a config with conv_cfg, such as configs/tsm_r18_cgc_mini.py."
        )
    return names[-1]


def find_gated_layer(model: nn.Module, name: str) -> nn.Module:
    """The module of that name, which must hold a gate.

    Raises:
        UserError: If there is none, or it has no gate.
    """
    layer = find_layer(model, name)
    if getattr(layer, "gate", None) is None:
        raise UserError(f"layer ({name}) has no gate; the last gated one is {last_gated_layer(model)}.")
    return layer


def find_layer(model: nn.Module, name: str) -> nn.Module:
    """The module of that name, as ``named_modules`` spells it.

    Raises:
        UserError: If there is none; names the nearest.
    """
    modules = dict(model.named_modules())
    modules.pop("")
    if name in modules:
        return modules[name]
    found = nearest(name, modules)
    hint = f"did you mean {found}?" if found else f"the last gated one is {(gated_layer_names(model) or ['none'])[-1]}."
    raise UserError(f"layer ({name}) is not in the model; {hint}")
