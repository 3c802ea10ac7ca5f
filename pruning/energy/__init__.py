"""Pruning and quantisation of each layer, searched for least energy. Docs: docs/search.md."""

from .choices import EnergySpace
from .model import EnergyModel, LayerEnergy, LayerWork
from .results import EnergySearch, EnergyTrial
from .search import search_energy
from .settings import LayerSetting, load_settings, save_settings

__all__ = [
    "EnergyModel",
    "EnergySearch",
    "EnergySpace",
    "EnergyTrial",
    "LayerEnergy",
    "LayerSetting",
    "LayerWork",
    "load_settings",
    "save_settings",
    "search_energy",
]
