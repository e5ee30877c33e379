from .recognition import Moment, Prediction, load_recognizer, predict, predict_many, predict_over_time

__all__ = ["Moment", "Prediction", "load_recognizer", "predict", "predict_many", "predict_over_time"]
