"""The decoder that logs name."""

from mmaction.registry import TRANSFORMS

from cgc_video.datasets.decoder_name import decoder_name


def name_of(*types: str | dict) -> str:
    return decoder_name(TRANSFORMS.build({"type": t} if isinstance(t, str) else t) for t in types)


def test_decoders_are_named():
    sample = {"type": "SampleFrames", "clip_len": 1}
    assert name_of("VideoOpen", sample, "VideoDecode") == "pyav"
    assert name_of({"type": "VideoOpen", "backend": "opencv"}, sample, "VideoDecode") == "opencv"
    assert name_of(sample, {"type": "VideoDecode", "backend": "decord"}) == "decord"
    assert name_of(sample, {"type": "FrameDecode", "backend": "cv2"}) == "cv2"
    assert name_of("DecordInit", sample, "DecordDecode") == "MMAction2's DecordDecode"
    assert name_of({"type": "LoadImage", "backend": "cv2"}, "PackImage") == "cv2"
    assert name_of(sample) == "none"
