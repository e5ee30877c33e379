"""The page as its users see it: over HTTP, and in headless Chromium."""

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cgc_video.apis.demo import Answerer, Limits, build_page, serve
from cgc_video.errors import UserError
from tools import demo

gradio = pytest.importorskip("gradio", reason="the extra demo is not installed")
_WAIT = 120  # seconds; a loaded machine takes its time


@pytest.fixture(scope="module")
def url(tiny_recognizer) -> Iterator[str]:
    """The address of a page that is being served."""
    address: list[str] = []
    up, done = threading.Event(), threading.Event()

    def ready(found: str) -> None:
        address.append(found)
        up.set()

    limits = Limits(megabytes=0.5, seconds=2)
    page = threading.Thread(target=serve, args=(tiny_recognizer, limits), kwargs={"ready": ready, "wait": done.wait})
    page.start()
    assert up.wait(_WAIT)
    yield address[0]
    done.set()
    page.join(_WAIT)
    assert not page.is_alive()


def test_over_http(url, write_clip, tmp_path):
    from gradio_client import Client, handle_file

    assert url.startswith("http://127.0.0.1:")
    client = Client(url, verbose=False)
    bars, explanation, message = client.predict(handle_file(str(write_clip())), api_name="/recognize")
    assert len(bars["confidences"]) == 5
    assert message == ""
    assert explanation.endswith(".mp4")
    (tmp_path / "text.mp4").write_text("no video")
    bars, explanation, message = client.predict(handle_file(str(tmp_path / "text.mp4")), api_name="/recognize")
    assert "text.mp4" in message
    assert explanation is None


@pytest.mark.skipif(
    not (shutil.which("chromium") and shutil.which("chromedriver")),
    reason="chromium and chromedriver are not installed",
)
def test_in_chromium(url, write_clip, tmp_path):
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for flag in ("headless=new", "no-sandbox", "disable-dev-shm-usage", f"user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        browser.get(url)
        wait = WebDriverWait(browser, _WAIT)

        def drop(path: Path) -> None:
            wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "#clip input[type=file]"))[0].send_keys(str(path))

        drop(write_clip("clip.avi"))
        wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "#gradcam video"))
        shown = browser.find_element(By.CSS_SELECTOR, "#classes").text
        assert shown.count("%") == 5
        # it plays: its size is that of the explanation
        wait.until(lambda b: b.execute_script("return document.querySelector('#gradcam video').videoWidth") > 0)

        wait.until(
            lambda b: b.find_elements(
                By.CSS_SELECTOR, "#clip button[aria-label*='lear'], #clip button[aria-label*='emove']"
            )
        )[0].click()
        (tmp_path / "text.mp4").write_text("no video")
        wait.until(lambda b: "Drop a clip first." in b.find_element(By.CSS_SELECTOR, "#message").text)
        drop(tmp_path / "text.mp4")
        wait.until(lambda b: "text.mp4" in b.find_element(By.CSS_SELECTOR, "#message").text)
        assert not browser.find_elements(By.CSS_SELECTOR, "#gradcam video")

        messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        assert {urlsplit(each).hostname for each in asked if each.startswith("http")} == {"127.0.0.1"}
    finally:
        browser.quit()


def test_without_gradio(monkeypatch, tiny_recognizer, tmp_path):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(UserError, match=r"not installed: pip install -e '\.\[demo\]'"):
        build_page(Answerer(tiny_recognizer, tmp_path))


def test_a_port_that_is_taken(url, tiny_checkpoint, capsys):
    port = url.rstrip("/").rpartition(":")[2]
    assert demo.main([*tiny_checkpoint, "--port", port]) == 2
    error = capsys.readouterr().err
    assert f"cannot be served at 127.0.0.1:{port}" in error
    assert error.count("\n") == 1
