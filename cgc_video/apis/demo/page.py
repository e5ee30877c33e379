"""The page, in Gradio."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..recognition import Recognizer
from .answer import Answerer
from .limits import Limits

__all__ = ["build_page", "serve"]

_OLDEST_GRADIO = 6
_KEPT_SECONDS = 600  # uploads and answers; who needs them longer has them


def _gradio() -> Any:
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # nothing leaves the machine
    try:
        import gradio
    except ImportError as error:
        raise UserError("the page needs Gradio, which is not installed: pip install -e '.[demo]'.") from error
    if int(gradio.__version__.partition(".")[0]) < _OLDEST_GRADIO:
        raise UserError(
            f"the page needs Gradio {_OLDEST_GRADIO} or newer, and {gradio.__version__} is installed: pip install -e '.[demo]'."
        )
    return gradio


def build_page(answer: Answerer) -> Any:
    """The page as ``gradio.Blocks``: a place to drop a clip on, bars of the best classes, and the Grad-CAM clip.

    Raises:
        UserError: If Gradio is not installed.
    """
    gr = _gradio()

    def show(path: str | None) -> tuple[dict[str, float] | None, str | None, str]:
        found = answer(path)
        bars = {prediction.name: prediction.probability for prediction in found.predictions}
        return bars or None, None if found.explanation is None else str(found.explanation), found.message

    limits = answer.limits
    with gr.Blocks(title="cgc_video", analytics_enabled=False, delete_cache=(_KEPT_SECONDS, _KEPT_SECONDS)) as page:
        gr.Markdown(
            f"## What does this clip show?\nUp to {limits.seconds:g} s and {limits.megabytes:g} MB; MP4, MKV, WebM, AVI and others."
        )
        with gr.Row():
            with gr.Column():
                clip = gr.File(label="Clip", elem_id="clip")
                message = gr.Markdown(elem_id="message")
            with gr.Column():
                bars = gr.Label(label="Classes", elem_id="classes")
                video = gr.Video(label=f"Grad-CAM at {answer.layer}", autoplay=True, loop=True, elem_id="gradcam")
        # one clip at a time: the network's hooks belong to one caller
        clip.change(show, clip, [bars, video, message], concurrency_limit=1, api_name="recognize")
    return page


def serve(
    recognizer: Recognizer,
    limits: Limits | None = None,
    layer: str | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    ready: Callable[[str], None] = lambda url: None,
    wait: Callable[[], None] = lambda: None,
) -> None:
    """Serve the page while ``wait`` runs.

    Args:
        host: Address to bind to; the default is out of reach for other machines.
        port: By default the first free one from 7860.
        ready: Called with the page's address once it answers.

    Raises:
        UserError: If Gradio is not installed, the model or the layer is not fit, or the address cannot be bound.
    """
    gr = _gradio()
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="cgc_video_demo_") as folder:
        page = build_page(Answerer(recognizer, Path(folder), limits, layer))
        try:
            _, url, _ = page.launch(
                server_name=host,
                server_port=port,
                prevent_thread_lock=True,
                quiet=True,
                share=False,
                max_file_size=int(limits.megabytes * 1e6),
                theme=gr.themes.Default(
                    font=["system-ui", "sans-serif"], font_mono=["monospace"]
                ),  # no font is fetched
            )
        except (OSError, ValueError) as error:
            where = f"{host}:{port}" if port else host
            raise UserError(
                f"the page cannot be served at {where} ({error}); give another --host or --port."
            ) from error
        try:
            ready(url)
            wait()
        finally:
            page.close(verbose=False)
