"""One headless Chromium for the tests of the report page; without one they are skipped, with a word."""

import shutil

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Skip the tests here unless `make test-browser` asks for them."""
    for item in items:
        if item.get_closest_marker("browser") and not config.getoption("--browser"):
            item.add_marker(pytest.mark.skip(reason="opens a browser: make test-browser"))


ARGUMENTS = (
    *(
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
    ),
    *("disable-component-update", "disable-sync", "disable-dev-shm-usage", "window-size=1200,900"),
)


DRAWN = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))"  # charts are drawn with the first frame


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
    """A driver of Chromium, with an empty profile."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver_path = shutil.which("chromedriver")
    if not browser or not driver_path:
        pytest.skip("no Chromium with its chromedriver here: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in (*ARGUMENTS, f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(driver_path))
    driver.set_script_timeout(20)
    yield driver
    driver.quit()


@pytest.fixture
def open_page(chromium):
    """A function: open a page in a width, light or dark; the test fails where the console has an error."""

    def opened(path, width=1200, dark=False):
        command = chromium.execute_cdp_cmd
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        command("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        command("Emulation.setEmulatedMedia", {"features": [scheme]})
        chromium.get(path.as_uri())
        chromium.execute_async_script(DRAWN)
        return chromium

    chromium.get_log("browser")
    yield opened
    assert chromium.execute_script("return window.hacked") is None
    assert chromium.get_log("browser") == []
    chromium.get("about:blank")
