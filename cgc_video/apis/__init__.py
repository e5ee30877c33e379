from .recognition import Prediction, load_recognizer, predict

__all__ = ["Prediction", "load_recognizer", "predict"]
