"""The board's page in a real browser: Debian's Chromium, headless, driven by python3-selenium.

BOARD_URL names a board whose pictures are anonymised (as ./run leaves one).
"""
import os
import struct
import tempfile
import time
import unittest
import urllib.parse
import zlib

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

BOARD_URL = os.environ["BOARD_URL"].rstrip("/")
FLAGS = ("--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
         "--disable-background-networking --disable-component-update --disable-sync").split()
DESKTOP = (1200, 1000)
PHONE = (500, 800)  # the narrowest window that Chromium makes


def png(width, height):
    """A picture without anybody on it: a gradient."""
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    rows = b"".join(b"\0" + bytes(value for x in range(width)
                                  for value in (x % 256, y % 256, 128)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class BoardPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in FLAGS:
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={cls.folder.name}/profile")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        cls.browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()
        cls.folder.cleanup()

    def setUp(self):
        self.browser.set_window_size(*DESKTOP)
        self.browser.get(BOARD_URL + "/board/")
        self.browser.get_log("browser")

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def wait(self, predicate, seconds=20):
        return WebDriverWait(self.browser, seconds, 0.1).until(lambda _: predicate())

    def file(self, name, content):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as out:
            out.write(content)
        return path

    def post(self, author, body):
        for selector, text in (("#author", author), ("#body", body)):
            field = self.find(selector)
            field.clear()
            field.send_keys(text)
        self.find("#post").click()

    def no_errors_on_the_console(self):
        self.assertEqual([], [each for each in self.browser.get_log("browser")
                              if each["level"] == "SEVERE"])

    def test_a_browser_that_opens_the_root_sees_the_page(self):
        self.browser.get(BOARD_URL + "/")
        self.assertEqual(self.browser.current_url, BOARD_URL + "/board/")
        self.assertEqual(self.browser.title, "MessageBoard")
        self.no_errors_on_the_console()

    def test_a_message_appears_first_and_stays(self):
        body = f"hello at {time.time()} <img src=x onerror=alert(1)> & \"quotes\" ü"
        self.post("Ann <b>", body)
        self.wait(lambda: self.find("#messages li .body").text == body)
        self.assertEqual(self.find("#messages li .author").text, "Ann <b>")
        self.assertEqual(self.find("#body").get_attribute("value"), "")
        self.browser.refresh()
        self.wait(lambda: self.browser.find_elements(By.CSS_SELECTOR, "#messages li"))
        self.assertEqual(self.find("#messages li .body").text, body)
        self.assertEqual(self.find("#author").get_attribute("value"), "Ann <b>")
        self.assertEqual([], self.browser.find_elements(By.CSS_SELECTOR, "#messages img"))
        self.no_errors_on_the_console()

    def test_older_messages_come_on_demand(self):
        self.browser.set_script_timeout(30)
        self.browser.execute_async_script("""
            const done = arguments[0];
            (async () => {
              for (let i = 0; i < 25; ++i) {
                await fetch("/message/", {method: "POST", headers: {"content-type": "application/json"},
                                          body: JSON.stringify({author: "many", body: String(i)})});
              }
              done();
            })();""")
        self.browser.refresh()
        count = lambda: len(self.browser.find_elements(By.CSS_SELECTOR, "#messages li"))
        self.wait(lambda: count() == 20)
        self.find("#older-messages").click()
        self.wait(lambda: count() >= 25)
        shown = [int(each.get_attribute("data-id"))
                 for each in self.browser.find_elements(By.CSS_SELECTOR, "#messages li")]
        self.assertEqual(shown, sorted(set(shown), reverse=True))

    def test_an_empty_field_is_named_and_focused(self):
        self.post("Ann", "   ")
        self.wait(lambda: self.find("#message-error").is_displayed())
        self.assertIn("message", self.find("#message-error").text)
        self.assertEqual(self.browser.switch_to.active_element.get_attribute("id"), "body")
        self.assertEqual(self.find("#body").get_attribute("aria-invalid"), "true")

    def test_a_board_that_is_away_is_reported_and_the_text_kept(self):
        self.browser.set_network_conditions(offline=True, latency=0, throughput=1 << 20)
        try:
            self.post("Ann", "kept")
            self.wait(lambda: "reached" in self.find("#message-error").text)
            self.assertEqual(self.find("#body").get_attribute("value"), "kept")
        finally:
            self.browser.set_network_conditions(offline=False, latency=0, throughput=1 << 30)
        self.find("#post").click()
        self.wait(lambda: self.find("#messages li .body").text == "kept")

    def newest_picture(self, name):
        for item in self.browser.find_elements(By.CSS_SELECTOR, "#pictures li"):
            if item.find_element(By.CSS_SELECTOR, ".name").text == name:
                return item
        return None

    def becomes_anonymised(self, name):
        item = self.wait(lambda: self.newest_picture(name))
        frame = item.find_element(By.CSS_SELECTOR, ".frame")
        self.wait(lambda: frame.get_attribute("data-status") == "processed", 60)
        image = frame.find_element(By.CSS_SELECTOR, "img")
        self.wait(lambda: self.browser.execute_script(
            "return arguments[0].complete && arguments[0].naturalWidth > 0", image))
        self.assertIn("/pictures/", image.get_attribute("src"))

    def test_a_chosen_picture_becomes_anonymised(self):
        name = f"chosen-{time.time_ns()}.png"
        self.find("#file").send_keys(self.file(name, png(64, 48)))
        self.becomes_anonymised(name)
        self.wait(lambda: name in self.find("#picture-status").text)
        self.no_errors_on_the_console()

    def test_a_dropped_picture_becomes_anonymised(self):
        name = f"dropped-{time.time_ns()}.png"
        self.browser.execute_script("""
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(arguments[0])], arguments[1], {type: "image/png"}));
            document.getElementById("drop").dispatchEvent(
                new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
            """, list(png(32, 32)), name)
        self.becomes_anonymised(name)

    def test_a_file_that_is_no_picture_is_refused_with_a_reason(self):
        self.find("#file").send_keys(self.file("text.png", b"not a picture"))
        self.wait(lambda: self.find("#picture-error").is_displayed())
        self.assertIn("not a JPEG, PNG or WebP", self.find("#picture-error").text)

    def test_it_fits_a_phone(self):
        self.browser.set_window_size(*PHONE)
        self.post("Ann", "w" * 400)
        self.wait(lambda: self.find("#messages li .body").text == "w" * 400)
        width, window = self.browser.execute_script(
            "return [document.documentElement.scrollWidth, window.innerWidth]")
        self.assertLessEqual(width, window)
        for button in self.browser.find_elements(By.CSS_SELECTOR, "button, .button"):
            if button.is_displayed():
                self.assertGreaterEqual(button.size["height"], 44)

    def test_it_can_be_used_without_a_mouse_and_read_aloud(self):
        unnamed = self.browser.execute_script("""
            return [...document.querySelectorAll("input, textarea")].filter(
                (each) => each.labels.length === 0).map((each) => each.id);""")
        self.assertEqual(unnamed, [])
        reached = []
        self.find("#author").click()
        for _ in range(5):
            reached.append(self.browser.switch_to.active_element.get_attribute("id"))
            webdriver.ActionChains(self.browser).send_keys(Keys.TAB).perform()
        self.assertEqual([each for each in reached if each != "older-messages"][:4],
                         ["author", "body", "post", "file"])
        self.assertEqual(self.find("html").get_attribute("lang"), "en")

    def test_colours_have_contrast(self):
        pairs = self.browser.execute_script("""
            const behind = (element) => {
              for (let at = element; at; at = at.parentElement) {
                const colour = getComputedStyle(at).backgroundColor;
                if (colour !== "rgba(0, 0, 0, 0)") return colour;
              }
              return "rgb(255, 255, 255)";
            };
            return [...document.querySelectorAll("h1, h2, p, label, button, .button, a")].map(
                (each) => [each.textContent.trim(), getComputedStyle(each).color, behind(each)]);""")

        def luminance(colour):
            parts = [int(part) / 255 for part in colour[colour.index("(") + 1:-1].split(",")[:3]]
            linear = [part / 12.92 if part <= .03928 else ((part + .055) / 1.055) ** 2.4
                      for part in parts]
            return .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2]

        for text, front, back in pairs:
            light, dark = sorted((luminance(front), luminance(back)), reverse=True)
            self.assertGreaterEqual((light + .05) / (dark + .05), 4.5, (text, front, back))

    def test_nothing_comes_from_elsewhere(self):
        for path in ("/board/", "/docs"):
            self.browser.get(BOARD_URL + path)
            self.wait(lambda: self.browser.execute_script("return document.readyState") == "complete")
            hosts = self.browser.execute_script("""
                return performance.getEntriesByType("resource").map((each) => each.name)""")
            for url in hosts:
                self.assertIn(urllib.parse.urlsplit(url).hostname, ("127.0.0.1", "localhost"), url)

    def test_the_api_documentation_lists_every_route(self):
        self.browser.get(BOARD_URL + "/docs")
        self.wait(lambda: len(self.browser.find_elements(By.CSS_SELECTOR, ".opblock")) >= 9)
        self.no_errors_on_the_console()


if __name__ == "__main__":
    unittest.main()
