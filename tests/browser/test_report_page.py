"""The report page in Chromium: values under the pointer and by keyboard, the network that answers, every width."""

import csv
import itertools
import statistics

import numpy as np
import pytest

import nn
from nn.plotting.report.page import write_report
from tests.support import ROOT
from tests.support.drawn_digits import DIGITS
from tests.support.report_runs import HOSTILE, images_run, regression_run, signed_images_run, table_run
from tests.support.run_folder import write_histories

pytestmark = pytest.mark.browser
FINISHED = ROOT / "docs" / "local_test" / "OUTPUT"
PAGES = ("mnist", "images", "table", "values", "several", "running")


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """OUTPUT folders by name."""
    made = {"images": images_run, "table": table_run, "values": regression_run}
    found = {name: write(tmp_path_factory.mktemp(name)) for name, write in made.items()}
    running = tmp_path_factory.mktemp("running")
    write_histories(running)
    (running / "_RUNNING").write_text("{}")
    second = images_run(tmp_path_factory.mktemp("second"), epochs=5, validation_fraction=0.2)
    found["signed"] = signed_images_run(tmp_path_factory.mktemp("signed"))
    return {**found, "mnist": FINISHED, "running": running, "second": second}


@pytest.fixture(scope="session")
def pages(folders, tmp_path_factory):
    """Report pages by name; "several" compares two runs."""
    place = tmp_path_factory.mktemp("pages")
    runs = {name: [folder] for name, folder in folders.items() if name != "second"}
    runs["several"] = [folders["images"], folders["second"]]
    return {name: write_report(paths, place / f"{name}.html") for name, paths in runs.items()}


def one(driver, selector):
    return driver.find_element("css selector", selector)


def all_of(driver, selector):
    return driver.find_elements("css selector", selector)


def ready(driver, selector):
    """Wait until the page has unpacked its network."""
    script = """
        const done = arguments[1], isReady = () => document.querySelector(arguments[0])?.dataset.ready;
        const look = () => (isReady() ? done() : setTimeout(look, 20));
        look();
    """
    driver.execute_async_script(script, selector)
    return one(driver, selector)


def send(driver, element, keys):
    driver.execute_script("arguments[0].focus()", element)
    element.send_keys(keys)


def history(folder):
    with (folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 800, 1200])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_width_without_an_error(open_page, pages, name, width, dark):
    driver = open_page(pages[name], width, dark)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert len(all_of(driver, "figure svg")) == len(all_of(driver, "figure .plot")) > 2


@pytest.mark.parametrize("name", PAGES)
def test_what_can_be_used_has_a_name_for_screen_readers(open_page, pages, name):
    driver = open_page(pages[name])
    script = """
        const named = (element) => ["aria-label", "aria-labelledby"].some((name) => element.getAttribute(name))
          || element.textContent.trim() || element.labels?.length;
        const kinds = "button, a, canvas, input, select, section, nav, [tabindex='0']";
        const nameless = [...document.querySelectorAll(kinds)].filter((element) => !named(element));
        return nameless.map((element) => element.outerHTML);
    """
    assert driver.execute_script(script) == []
    ids = driver.execute_script("return [...document.querySelectorAll('[id]')].map((element) => element.id)")
    assert len(ids) == len(set(ids))
    assert len(all_of(driver, "h1")) == 1


def test_the_pointer_shows_the_values_of_an_epoch(open_page, pages, folders):
    from selenium.webdriver import ActionChains

    driver = open_page(pages["images"])
    plot = one(driver, "#training .plot")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    assert not one(plot, ".tooltip").is_displayed()
    ActionChains(driver).move_to_element_with_offset(plot, -plot.size["width"] // 2 + 60, 0).perform()
    text = one(plot, ".tooltip").text
    assert text.splitlines()[0] == "epoch 1"
    assert text.split()[-1] == f"{float(history(folders['images'])[0]['cost']):.4g}"
    ActionChains(driver).move_to_element(one(driver, "h1")).perform()
    assert not one(plot, ".tooltip").is_displayed()


def test_arrow_keys_read_the_values_and_zoom(open_page, pages, folders):
    driver = open_page(pages["images"])
    plot = one(driver, "#training .plot")
    send(driver, plot, "\ue012")  # arrow left: from the last epoch
    last = history(folders["images"])[-1]
    assert plot.get_attribute("aria-valuetext") == f"epoch 8: training {float(last['cost']):.4g}"
    ticks = lambda: [tick.text for tick in all_of(plot, "text.tick")]  # noqa: E731
    before = ticks()
    send(driver, plot, "+")
    assert ticks() != before and one(driver, "#training .tools button:not([hidden])").is_displayed()
    send(driver, plot, "0")
    assert ticks() == before


def test_dragging_zooms_all_charts_and_reset_shows_all(open_page, pages):
    from selenium.webdriver import ActionChains

    driver = open_page(pages["mnist"])
    first, second = all_of(driver, "#training .plot")[:2]
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", first)
    ends = lambda plot: [tick.text for tick in all_of(plot, "text.tick[text-anchor=middle]")]  # noqa: E731
    assert ends(second)[-1] == "100"
    chain = ActionChains(driver).move_to_element_with_offset(first, -100, 0).click_and_hold()
    chain.move_by_offset(60, 0).move_by_offset(60, 0).release().perform()
    assert int(ends(second)[-1]) < 80
    one(driver, "#training button[aria-label^='Show all']").click()
    assert ends(second)[-1] == "100"


def test_a_cell_of_the_confusion_matrix_shows_its_rows(open_page, pages):
    driver = open_page(pages["mnist"])
    counts = np.loadtxt(FINISHED / "confusion_matrix.csv", delimiter=",", skiprows=1)[:, 1:]
    cells = all_of(driver, ".cell")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", cells[49])
    cells[49].click()
    panel = one(driver, "#behind")
    assert "4 predicted as 9" in panel.text and f"{counts[4, 9]:.0f} test rows" in panel.text
    listed = [row.split(",")[1:3] for row in (FINISHED / "examples.csv").read_text().splitlines()[1:]]
    count = listed.count(["4", "9"])
    assert len(all_of(panel, "li")) == count and f"{count} of these {counts[4, 9]:.0f} rows" in panel.text
    send(driver, cells[49], "\ue012\n")  # arrow left, enter
    assert "4 predicted as 8" in panel.text
    assert len(all_of(driver, ".cell[tabindex='0']")) == 1


def test_a_test_row_gets_the_answer_that_the_run_gave(open_page, pages):
    driver = open_page(pages["mnist"])
    ready(driver, ".pad")
    rows = [row.split(",")[:4] for row in (FINISHED / "examples.csv").read_text().splitlines()[1:]]
    for number, (_, label, prediction, probability) in enumerate(rows[:12]):
        all_of(driver, "#examples .gallery button")[number].click()
        digit, share, *_ = one(driver, ".answer").text.split()
        assert (digit, float(share)) == (prediction, pytest.approx(100 * float(probability), abs=0.051))
        assert f"its class is {label}" in one(driver, ".result").text


def test_a_test_row_of_pixels_from_minus_1_to_1_gets_the_answer_that_the_run_gave(open_page, pages, folders):
    driver = open_page(pages["signed"])
    ready(driver, ".pad")
    rows = list(csv.reader((folders["signed"] / "examples.csv").read_text().splitlines()))[1:]
    for number, (_, _, prediction, probability, *_) in enumerate(rows[:6]):
        all_of(driver, "#examples .gallery button")[number].click()
        digit, share, *_ = one(driver, ".answer").text.split()
        assert (digit, float(share)) == (prediction, pytest.approx(100 * float(probability), abs=2))


def draw(driver, strokes):
    """Draw strokes with the mouse; give the answer, and the milliseconds that each took."""
    from selenium.webdriver import ActionChains

    pad = ready(driver, ".pad")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", pad)
    one(driver, "#try .choices button").click()
    size, times = pad.size["width"], []
    for stroke in strokes:
        places = [(round((x - 0.5) * size), round((y - 0.5) * size)) for x, y in stroke]
        ActionChains(driver, duration=15).move_to_element_with_offset(
            pad, *places[0]
        ).click_and_hold().perform()
        for (x0, y0), (x1, y1) in itertools.pairwise(places):
            ActionChains(driver, duration=15).move_by_offset(x1 - x0, y1 - y0).perform()
            times.append(float(one(driver, ".result").get_attribute("data-milliseconds")))
        ActionChains(driver).release().perform()
    return one(driver, ".answer").text.split()[0], times


def test_strokes_give_the_right_digit_within_50_milliseconds(open_page, pages):
    driver = open_page(pages["mnist"])
    answers = {digit: draw(driver, strokes) for digit, strokes in DIGITS.items()}
    assert {digit: answer for digit, (answer, _) in answers.items()} == {
        digit: str(digit) for digit in DIGITS
    }
    times = [time for _, each in answers.values() for time in each]
    assert statistics.median(times) < 50, times


def test_the_keyboard_draws_and_clears(open_page, pages):
    driver = open_page(pages["mnist"])
    pad = ready(driver, ".pad")
    send(driver, pad, "\ue013" * 10 + " " + "\ue015" * 20 + " ")  # up, pen down, down, pen up
    digit = "return document.querySelector('.answer').textContent"
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert driver.execute_script(digit).startswith("1 ")
    send(driver, pad, "\ue017")  # delete
    assert driver.execute_script(digit) == "Draw something."


def test_the_form_answers_as_the_model_does(open_page, pages, folders):
    driver = open_page(pages["table"])
    ready(driver, ".form")
    model = nn.load(folders["table"] / "model.npz")
    age, city = all_of(driver, ".form input, .form select")
    script = (
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', {bubbles: true}))"
    )
    for number, category in ((20.5, 0), (41.0, 1), (70.0, 2)):
        driver.execute_script(script, age, str(number))
        driver.execute_script(script, city, f"value {category}")
        values = sorted(HOSTILE, key=lambda name: model.model.encoder.columns[1].values.index(name))
        row = {"age": [number], "<b>city</b>": np.array([values[category]], object)}
        (shares,) = model.predict_proba(row)
        text = driver.execute_script("return document.querySelector('.answer').textContent")
        assert text.startswith(f"{model.predict(row)[0]} ")
        assert float(text.split()[-2]) == pytest.approx(100 * shares.max(), abs=0.051)
    driver.execute_script(script, age, "")
    assert one(driver, ".answer").text == "age: a value is needed"
    assert "missing" in age.find_element("xpath", "..").get_attribute("class")


def test_points_and_bars_of_a_regression_show_their_values(open_page, pages, folders):
    from selenium.webdriver import ActionChains

    driver = open_page(pages["values"])
    rows = np.loadtxt(folders["values"] / "predicted.csv", delimiter=",", skiprows=1)
    lowest = rows[rows[:, 1].argmin()]
    plot, _, bars = all_of(driver, "#errors .plot")
    send(driver, plot, "\ue011")  # home: the point with the smallest actual value
    text = plot.get_attribute("aria-valuetext")
    assert f"actual {lowest[1]:.4g}, predicted {lowest[2]:.4g}" in text
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", plot)
    point = one(plot, "circle.point")
    ActionChains(driver).move_to_element(point).perform()
    assert one(plot, ".tooltip").text.split()[-5] == f"{lowest[1]:.4g}"
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", bars)
    ActionChains(driver).move_to_element(bars).perform()
    counts = int(one(bars, ".tooltip").text.split()[-1])
    assert 0 < counts < len(rows)


def test_a_row_of_the_table_fills_the_form(open_page, pages, folders):
    driver = open_page(pages["table"])
    ready(driver, ".form")
    rows = list(csv.reader((folders["table"] / "examples.csv").read_text().splitlines()))
    driver.execute_script("document.querySelectorAll('#examples td button')[3].click()")
    assert one(driver, ".form input").get_attribute("value") == rows[4][4]
    text = driver.execute_script("return document.querySelector('.answer').textContent")
    assert text.startswith(f"{rows[4][2]} ")


def test_the_command_is_copied(open_page, pages, folders):
    driver = open_page(pages["images"])
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    button = one(driver, ".command button")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    text = driver.execute_async_script("navigator.clipboard.readText().then(arguments[0], arguments[0])")
    assert text == f"spark-submit main_task.py --config {folders['images']}/config.json ANOTHER_OUTPUT"
    assert "Copied." in one(driver, ".again").text


def test_details_are_those_of_the_chosen_run_and_differences_are_marked(open_page, pages, folders):
    driver = open_page(pages["several"])
    assert {mark.text for mark in all_of(driver, "mark")} == {"epochs"}
    assert "8 of" not in one(driver, ".which").text and folders["images"].name in one(driver, ".which").text
    driver.execute_script(
        "const choice = document.getElementById('run'); choice.selectedIndex = 1;"
        "choice.dispatchEvent(new Event('change'))"
    )
    assert folders["second"].name in one(driver, ".which").text
    ready(driver, ".pad")
    assert len(all_of(driver, "#results tbody tr")) == 2


def test_a_run_that_goes_on_says_so(open_page, pages):
    driver = open_page(pages["running"])
    assert "This run goes on; the page shows it after epoch 30" in one(driver, ".status").text
    assert "no confusion_matrix.csv in" in one(driver, "#test").text
